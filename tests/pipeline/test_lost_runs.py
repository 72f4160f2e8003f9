"""A pull request whose run was lost gets another one, once a day at most, and a verdict that says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.pipeline import judge, lost_runs
from bot.ports import TrainingRun
from tests.pipeline.test_train_and_report import SPEC, penalised
from tests.pipeline.world import NUMBER, World, world


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})
    made.talk.workflows = frozenset({"pull-request.yml"})
    return made


def reconcile(made: World, *runs: tuple[float, bool, bool]) -> list[tuple[str, dict[str, str]]]:
    """What is dispatched, with runs that began so many hours ago, go on, and were dispatched."""
    now = made.clock.now()
    known = [TrainingRun(n, now - timedelta(hours=hours), *rest) for n, (hours, *rest) in enumerate(runs)]
    port: Any = type("Runs", (), {"of": lambda self, number: known if number == NUMBER else []})()
    job = made.job()
    job = replace(job, ports=replace(job.ports, training_runs=port))
    made.talk.dispatched.clear()
    lost_runs.start_again(judge.judge(NUMBER, "merge", job), job)
    return list(made.talk.dispatched)


def test_a_head_that_no_run_has_reported_is_run_and_its_verdict_waits(made: World) -> None:
    assert reconcile(made) == [("pull-request.yml", {"number": str(NUMBER)})]
    assert made.talk.statuses_["mlbot/verdict"] == ("pending", lost_runs.STARTED)


@pytest.mark.parametrize(
    ("runs", "starts"),
    [
        ([(5, False, False)], True),  # of an older head, or it failed
        ([(5, True, False)], False),
        ([(0.5, False, False)], False),
        ([(5, False, True)], False),
        ([(25, False, True)], True),
    ],
    ids=["ended long ago", "goes on", "ended just now", "the bot started one today", "the bot started one yesterday"],
)
def test_what_goes_on_or_was_just_tried_is_left_alone(made: World, runs: list[Any], starts: bool) -> None:
    made.talk.statuses_["mlbot/verdict"] = ("pending", lost_runs.STARTED)
    assert bool(reconcile(made, *runs)) is starts


def test_what_the_bot_started_for_the_head_before_keeps_the_new_one_from_nothing(made: World) -> None:
    """Without a verdict on it, nobody has ever told anybody what becomes of it."""
    assert reconcile(made, (5, False, True))
    assert made.talk.statuses_["mlbot/verdict"] == ("pending", lost_runs.STARTED)


def test_a_head_that_was_reported_is_left_alone_and_nothing_is_asked(made: World) -> None:
    made.evaluate()
    assert reconcile(made) == []


def test_a_verdict_that_is_there_is_not_written_over(made: World) -> None:
    made.talk.statuses_["mlbot/verdict"] = ("error", "Cannot be judged: x")
    reconcile(made)
    assert made.talk.statuses_["mlbot/verdict"][0] == "error"


def test_what_github_refuses_is_raised_and_no_verdict_promises_a_run(made: World) -> None:
    made.talk.refusals = {"dispatch": UserError("GitHub refuses: workflow is disabled (422)")}
    with pytest.raises(UserError):
        reconcile(made)
    assert "mlbot/verdict" not in made.talk.statuses_
