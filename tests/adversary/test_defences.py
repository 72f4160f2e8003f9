"""Each defence of the threat model is held by a test: without the one the other fails. CI tries a few a day."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from tests.adversary.defences import DEFENCES, ROOT, is_held, stale

A_DAY = 2
SHORT = [one for one in DEFENCES if not one.is_long]
TODAY = datetime.now(UTC).toordinal() * A_DAY
ROTATION = [SHORT[(TODAY + index) % len(SHORT)] for index in range(A_DAY)]


def test_every_defence_is_there_once_and_has_its_row_and_test() -> None:
    text = (ROOT / "docs/threat-model.md").read_text()
    rows = set(re.findall(r"^\| (A\d\d) \|", text, re.MULTILINE))
    assert [one.file for one in DEFENCES if stale(one)] == []
    assert {one.row for one in DEFENCES} <= rows
    for one in DEFENCES:
        file, _, name = one.test.partition("::")
        assert (ROOT / file).exists() and (not name or f"def {name}(" in (ROOT / file).read_text()), one.test


@pytest.mark.slow
@pytest.mark.parametrize("one", ROTATION, ids=lambda one: f"{one.row}-{one.file}")
def test_without_the_defence_its_test_fails(one) -> None:  # type: ignore[no-untyped-def]
    assert is_held(one)
