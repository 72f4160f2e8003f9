"""The fault campaign in short: it keeps what it promises, and can be played again and shortened."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.reliability import oracle
from tests.reliability.campaign import Total, row_of
from tests.reliability.mutants import MUTANTS, Mutant, stale
from tests.reliability.play import play
from tests.reliability.real import RealStage
from tests.reliability.schedule import Step, dump, parse, steps_of
from tests.reliability.shrink import smallest

REGRESSIONS = Path(__file__).parent / "regressions"
SEEDS, STEPS = range(1, 6), 30


def test_a_short_campaign_breaks_no_promise() -> None:
    """The long one: `python -m tests.reliability --schedules 1000 --steps 50 --seed 1`."""
    total = Total()
    for seed in SEEDS:
        total.add(row_of(seed, play(steps_of(seed, STEPS))))
    assert total.handlers > 50 and len(total.faults) > 5
    assert not total.broken, total.table(0)


def test_a_schedule_without_faults_ends_in_a_release() -> None:
    """Else the promises about releases are kept by nobody."""
    steps = [Step("open", "dana", 1, 7), *([Step("drain"), Step("forward", "owen", 1, 3)] * 4)]
    played = play(steps)
    assert (played.violations, played.releases > 0) == ([], True)


def test_the_same_seed_is_the_same_schedule() -> None:
    assert steps_of(7, 50) == steps_of(7, 50) != steps_of(8, 50)
    assert parse(dump(steps_of(7, 50))) == steps_of(7, 50)
    assert row_of(3, play(steps_of(3, 20))) == row_of(3, play(steps_of(3, 20)))


def test_what_is_wrong_is_found_and_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that lets everything through turns a pull request green that nobody approved."""
    from bot.report import status

    monkeypatch.setitem(status.VERDICTS, "pending", "success")
    steps = [Step("open", "dana", 1, 5), Step("drain"), Step("time", number=60), Step("retitle", "owen", 1, 3)]
    found = play(steps).violations
    (name,) = {one.name for one in found if one.promise == 2}
    assert [step.do for step in smallest(steps, name)] == ["open"]


@pytest.mark.slow
def test_a_schedule_with_nothing_in_memory() -> None:
    """Processes, HTTP, git, DVC, training and SIGKILL; the long one: `--real --schedules 50`."""
    steps = [
        Step("open", "dana", 1, 5), Step("drain"), Step("fault", kind="crash_before", seed=4), Step("drain"),
        Step("forward", "owen", 1, 2), Step("forward", "vera", 1, 3), Step("drain"),
    ]  # fmt: skip
    played = play(steps, on=RealStage)
    assert played.handlers >= 5
    assert not played.violations


def test_the_oracle_is_short_and_knows_nothing_of_the_judge() -> None:
    """It is read by people, beside docs/policies.md."""
    text = Path(oracle.__file__).read_text()
    names = [node.module or "" for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    assert len(text.splitlines()) <= 250
    assert all(name.startswith("bot.sandbox") for name in names if name.startswith("bot"))


@pytest.mark.parametrize("path", sorted(REGRESSIONS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_what_a_schedule_once_broke_stays_mended(path: Path) -> None:
    """A file is a shortened schedule; its name says what was wrong, its first line which violation that was."""
    first, _, rest = path.read_text().partition("\n")
    name = first.removeprefix("# ")
    assert name not in {one.name for one in play(parse(rest)).violations}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_a_mutant_changes_text_that_is_there(mutant: Mutant) -> None:
    """Whoever changes that text says here how the defect would look now."""
    assert stale(mutant) == []
