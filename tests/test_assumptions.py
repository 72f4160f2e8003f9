"""docs/github-assumptions.md: each row has a source, a test that is there, and a check where it says so."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from tests.smoke_github.reads import READS
from tests.smoke_github.writes import WRITES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/github-assumptions.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if re.match(r"\| [A-Z]\d", line)
]
IDS = [row[0] for row in ROWS]


def test_every_assumption_has_an_id_of_its_own() -> None:
    assert len(ROWS) > 50 and len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_row_says_where_it_is_from_and_who_plays_it(row: list[str]) -> None:
    _, what, source, read, test, smoke, seen = row
    assert what and (re.search(r"\]\(https://\S+\)", source) or source == "not documented")
    assert read == "not yet" or date.fromisoformat(read) <= date(2100, 1, 1)
    assert smoke in ("read", "write", "no") and (seen == "never" or date.fromisoformat(seen))
    file, _, function = test.strip("`").partition("::")
    assert (ROOT / file).is_file(), test
    assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8") if function else True, test


def test_what_can_be_checked_is_checked() -> None:
    by_smoke = {word: {row[0] for row in ROWS if row[5] == word} for word in ("read", "write")}
    assert by_smoke == {"read": set(READS), "write": set(WRITES)}
