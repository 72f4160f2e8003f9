"""A patch as rows with line numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)")
LONG = 400  # rows; a longer file starts folded


@dataclass(frozen=True)
class Row:
    """`kind` is hunk, add, del or same; a number is None where the line does not exist."""

    kind: str
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True)
class File:
    """A changed file. `rows` is empty for a binary one."""

    name: str
    before: str | None
    status: str
    added: int
    removed: int
    rows: list[Row] = field(default_factory=list)

    @property
    def folded(self) -> bool:
        return len(self.rows) > LONG


def read(entry: dict[str, Any]) -> File:
    """A file as `Bare.files` gives it."""
    return File(
        entry["filename"],
        entry.get("previous_filename"),
        entry["status"],
        entry["additions"],
        entry["deletions"],
        rows(entry.get("patch", "")),
    )


def rows(patch: str) -> list[Row]:
    """The lines of a unified diff, numbered on both sides."""
    found: list[Row] = []
    old = new = 0
    for line in patch.split("\n") if patch else []:
        hunk = _HUNK.match(line)
        if hunk:
            old, new = int(hunk[1]), int(hunk[2])
            found.append(Row("hunk", None, None, line))
        elif line.startswith("+"):
            found.append(Row("add", None, new, line[1:]))
            new += 1
        elif line.startswith("-"):
            found.append(Row("del", old, None, line[1:]))
            old += 1
        elif line.startswith("\\"):
            found.append(Row("hunk", None, None, line[2:]))
        else:
            found.append(Row("same", old, new, line[1:]))
            old, new = old + 1, new + 1
    return found
