"""Changed paths -> the kinds of change that policies speak of."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.specs.tracked import DATA_PATTERN

# The first pattern that fits a path names its kind; what guards the others comes first.
KINDS: tuple[tuple[str, str], ...] = (
    ("policy", r"policies/.*|(docs/|\.github/)?CODEOWNERS"),
    ("workflow", r"\.github/.*|\.ci/.*"),
    ("evaluator", r"bot/.*|pyproject\.toml|uv\.lock|setup\.(py|cfg)"),
    ("data", DATA_PATTERN),
    ("data_remote", r"\.dvc/.*|\.dvcignore|(.*/)?dvc\.yaml"),
    ("spec", r"models/[^/]+/model\.yaml"),
    ("schema", r"models/[^/]+/schema\.yaml"),
    ("code", r"tests/.*|Makefile|(.*/)?((requirements|constraints)[^/]*|CMakeLists)\.txt"),
    ("docs", r"docs/.*|.*\.(md|rst|txt|png|svg)|LICENSE[^/]*"),
    ("code", r".*\.(py|sh|js|ts|toml|cfg|ini|R|sql|ipynb)"),
)
_COMPILED = tuple((kind, re.compile(pattern, re.DOTALL)) for kind, pattern in KINDS)


def kind_of(path: str) -> str:
    """The kind of a changed path; `other` when nothing fits."""
    return next((kind for kind, pattern in _COMPILED if pattern.fullmatch(path)), "other")


def change_kinds(paths: Iterable[str]) -> tuple[str, ...]:
    """The kinds of all paths, sorted."""
    return tuple(sorted({kind_of(path) for path in paths}))
