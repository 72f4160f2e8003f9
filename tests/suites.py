"""The table of suites in tests/README.md: what each takes, and whether `make fast` runs it."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
FILES = "test_*.py"  # the suite of the files that lie in tests/ itself
NOT_FAST = ("engine", "slow", "browser")  # marks
_ROW = re.compile(r"^\| `([^`]+)` \| ([0-9.]+) \| (yes|no) \| (.+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Suite:
    """A folder below tests/; `minutes` are of CPU."""

    name: str
    minutes: float
    is_fast: bool
    holds: str


@functools.cache
def suites() -> dict[str, Suite]:
    """By name, in the order of the table."""
    rows = _ROW.findall((HERE / "README.md").read_text(encoding="utf-8"))
    return {name: Suite(name, float(minutes), fast == "yes", holds) for name, minutes, fast, holds in rows}


def suite_of(nodeid: str) -> str:
    """The suite that a test or a file belongs to; the path begins at tests/."""
    parts = nodeid.partition("::")[0].split("/")
    return parts[1] if len(parts) > 2 else FILES


def is_fast(name: str) -> bool:
    """Whether `make fast` runs a suite. One that has no row is run, and tests/test_suites.py then asks for the row."""
    return name not in suites() or suites()[name].is_fast
