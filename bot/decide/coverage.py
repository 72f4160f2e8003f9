"""Changed paths -> those that no model's digest covers, and one digest of what they hold."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from bot.ports import Change
from bot.records.base import canonical_json, sha256
from bot.specs.tracked import DATA_PATTERN

# Prose changes nothing that is deployed; but not in folders whose text is read by a machine.
_PROSE = re.compile(r"docs/.*|.*\.(md|rst|txt|png|svg)|LICENSE[^/]*", re.DOTALL)
_MACHINE = re.compile(
    r"(policies|\.github|\.ci|\.dvc|bot|tests)/.*|(docs/)?CODEOWNERS"
    r"|(.*/)?((requirements|constraints)[^/]*|CMakeLists)\.txt",
    re.DOTALL,
)
_DATA = re.compile(DATA_PATTERN, re.DOTALL)
_SPEC = re.compile(r"models/([^/]+)/(model|schema)\.yaml")


def guarded(paths: Iterable[str], planned: Collection[str]) -> tuple[str, ...]:
    """Paths that people must approve as such: neither prose nor inputs of a planned model."""
    return tuple(path for path in paths if not _is_covered(path, planned))


def guarded_digest(changes: Iterable[Change], planned: Collection[str]) -> str:
    """SHA-256 over the guarded paths and the blobs that they would hold; deletions count."""
    return sha256(canonical_json({one.path: one.new for one in changes if not _is_covered(one.path, planned)}))


def _is_covered(path: str, planned: Collection[str]) -> bool:
    if _DATA.fullmatch(path):
        return bool(planned)
    spec = _SPEC.fullmatch(path)
    if spec:
        return spec[1] in planned
    return bool(_PROSE.fullmatch(path)) and not _MACHINE.fullmatch(path)
