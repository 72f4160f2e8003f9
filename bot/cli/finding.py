"""What `mlbot doctor` found about one thing, and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `is_good` None means that it could not be seen; `command` is what to do."""

    name: str
    is_good: bool | None
    sentence: str
    command: str | None = None


def unseen(name: str, command: str | None) -> Finding:
    """This token may not see it."""
    return Finding(name, None, "this token may not see it; run this as an administrator", command)
