"""Every attack of docs/threat-model.md has a defence and a test that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROWS = re.findall(r"^\| (A\d\d) \|(.*)\|$", (ROOT / "docs/threat-model.md").read_text(), re.MULTILINE)


def test_no_attack_is_left_out() -> None:
    assert len(ROWS) >= 40
    assert [name for name, _ in ROWS] == [f"A{number:02d}" for number in range(1, len(ROWS) + 1)]


def test_every_defence_is_held_by_a_test_that_is_there() -> None:
    for name, row in ROWS:
        cells = [cell.strip() for cell in row.split("|")]
        assert len(cells) == 4 and cells[0] and cells[1], name
        named = re.findall(r"`(tests/[^`]+)`", cells[2])
        assert named, name
        for test in named:
            file, _, function = test.partition("::")
            assert (ROOT / file).exists(), f"{name}: {file}"
            assert not function or f"def {function}(" in (ROOT / file).read_text(), f"{name}: {test}"
