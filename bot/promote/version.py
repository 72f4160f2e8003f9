"""The next semantic version, from what changed between two evaluations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from bot.records.evaluation import Evaluation
from bot.records.release import Release

Bump = Literal["major", "minor", "patch"]
FIRST = "v1.0.0"


def numbers(version: str) -> tuple[int, int, int]:
    """`v1.4.0` as (1, 4, 0), for comparing."""
    major, minor, patch = version.removeprefix("v").split(".")
    return int(major), int(minor), int(patch)


def bumped(version: str, bump: Bump) -> str:
    """The version one major, minor or patch step further."""
    major, minor, patch = numbers(version)
    if bump == "major":
        return f"v{major + 1}.0.0"
    return f"v{major}.{minor + 1}.0" if bump == "minor" else f"v{major}.{minor}.{patch + 1}"


def next_version(step: str | None, at_least: str | None) -> str:
    """The version by the change (None: the first release), or the one that the spec asks for when that is higher.

    A version that the spec still names after it was released changes nothing any more.
    """
    asked = f"v{at_least.removeprefix('v')}" if at_least else None
    if step is None:
        return asked or FIRST
    return max(step, asked or step, key=numbers)


def change(old: Evaluation | None, new: Evaluation) -> Bump:
    """How far a caller would notice: target, classes or a column it never sent: major; same inputs: patch.

    None (the old evaluation is not known) is a minor change.
    """
    if old is None:
        return "minor"
    before, after = old.training, new.training
    known = {*before.inputs, *(one.column for one in before.dropped)}
    if (before.target, before.task, before.classes) != (after.target, after.task, after.classes):
        return "major"
    if not set(after.inputs) <= known:
        return "major"
    return "patch" if before.inputs_digest == after.inputs_digest else "minor"


def newest(releases: Iterable[Release]) -> Release | None:
    """The release with the highest version, None when there is none."""
    return max(releases, key=lambda release: numbers(release.version), default=None)


def version_of(artifact_digest: str, releases: Iterable[Release]) -> str | None:
    """The version that these bytes were registered under, None when they never were."""
    found = [release.version for release in releases if release.artifact_digest == artifact_digest]
    return found[0] if found else None
