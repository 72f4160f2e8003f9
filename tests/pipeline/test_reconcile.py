"""Reconcile: what must not wait is first, no part keeps another back, and whoever runs does it when it is late."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import MlbotError, Parts, UserError, WorldError
from bot.pipeline import judge, overdue, reconcile_job, reviewed_job
from bot.pipeline.job import Job
from bot.records.event import Account, CommentChanged, PullRequestChanged, ReviewChanged, Scheduled
from tests.pipeline.world import World, world

DANA = Account(id=1001, login="dana")


@dataclass
class Watched:
    """A world whose reconcile notes what it does, and fails where it is told to."""

    made: World
    job: Job
    done: list[str] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    summary: list[str] = field(default_factory=list)

    def does(self, name: str, gives: Any = None) -> Callable[..., Any]:
        def act(*_arguments: Any, **_options: Any) -> Any:
            self.done.append(name)
            if name in self.fails:
                raise self.fails[name]
            return gives

        return act


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    made = world(tmp_path, monkeypatch)
    found = Watched(made, made.job())
    found.job = replace(found.job, summarize=found.summary.append)
    for name, gives in {
        "settle_each": {},
        "follow_up": None,
        "settle_merges": None,
        "show_what_is_missing": None,
    }.items():
        monkeypatch.setattr(reconcile_job, name, found.does(name, gives))
    models = set(found.job.ports.git.entries(found.job.default_sha, "models"))
    monkeypatch.setattr(reconcile_job, "_watched", lambda _job: dict.fromkeys(("staging", "production"), models))
    monkeypatch.setattr(judge, "rejudge", found.does("judge"))
    found.job.ports.pull_requests.open_numbers = lambda: [7, 8]  # type: ignore[method-assign]
    return found


def test_what_must_not_wait_comes_first_and_verdicts_last(watched: Watched) -> None:
    reconcile_job.run(Scheduled(schedule="17 * * * *"), watched.job)
    once = list(dict.fromkeys(watched.done))
    assert once == ["settle_each", "follow_up", "settle_merges", "show_what_is_missing", "judge"]
    assert watched.done.count("judge") == 2 and watched.done.count("settle_each") == 1, (
        "every pull request, all models at once"
    )


@pytest.mark.parametrize("part", ["settle_each", "follow_up", "settle_merges", "judge"])
@pytest.mark.parametrize(
    "error", [WorldError("GitHub failed (502)"), UserError("the `ledger` is locked"), KeyError("x")]
)
def test_one_part_that_fails_keeps_no_other_back_and_the_summary_names_it(
    watched: Watched, part: str, error: Exception
) -> None:
    watched.fails = {part: error}
    with pytest.raises(WorldError, match="could not be reconciled"):
        reconcile_job.run(Scheduled(schedule="17 * * * *"), watched.job)
    assert {"settle_each", "follow_up", "settle_merges", "show_what_is_missing", "judge"} == set(watched.done)
    assert watched.done.count(part) == (1 if part == "settle_merges" else watched.done.count(part))
    assert "Not reconciled" in watched.summary[0] and "\n- " in watched.summary[0]


def test_pull_requests_that_github_does_not_list_keep_no_release_back(watched: Watched) -> None:
    watched.job.ports.pull_requests.open_numbers = watched.does("open")  # type: ignore[method-assign]
    watched.fails = {"open": WorldError("GitHub failed (502)")}
    with pytest.raises(WorldError):
        reconcile_job.run(Scheduled(schedule="17 * * * *"), watched.job)
    assert "settle_merges" in watched.done


# --- late


def test_a_late_reconcile_is_done_by_whoever_runs_next_and_once(watched: Watched) -> None:
    overdue.catch_up(watched.job)
    assert "judge" in watched.done
    watched.done.clear()
    overdue.catch_up(watched.job)
    assert watched.done == [], "it is not late any more"
    watched.made.clock.pass_days(4 / 24)
    watched.fails = {"settle_merges": WorldError("GitHub failed (502)")}
    overdue.catch_up(watched.job)
    assert "judge" in watched.done, "and what fails there is no failure of this run"
    assert any("merges" in text for text in watched.summary)


def test_of_several_runs_one_does_it(watched: Watched) -> None:
    watched.job.ports.git.set_stamp = lambda name, at: False  # type: ignore[method-assign]
    overdue.catch_up(watched.job)
    assert watched.done == []


def test_a_stamp_that_cannot_be_set_stops_nothing(watched: Watched) -> None:
    watched.job.ports.git.set_stamp = watched.does("stamp")  # type: ignore[method-assign]
    watched.fails = {"stamp": UserError("a rule of the repository forbids it")}
    overdue.catch_up(watched.job)
    assert watched.done == ["stamp"]
    with pytest.raises(WorldError):
        reconcile_job.run(Scheduled(schedule="17 * * * *"), watched.job)
    assert "judge" in watched.done


def test_a_run_gives_reconcile_no_more_than_its_budget(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(number: int, job: Job) -> Any:
        watched.done.append(f"judge {number}")
        watched.made.clock.at += overdue.BUDGET

    monkeypatch.setattr(judge, "rejudge", slow)
    overdue.catch_up(watched.job)
    assert [one for one in watched.done if one.startswith("judge")] == ["judge 7"]


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (None, "has not run yet"),
        (40, "40 minutes ago."),
        (200, "3 hours ago: its schedule is late"),
        (170, "hours ago."),
    ],
)
def test_people_read_when_it_last_ran(watched: Watched, minutes: int | None, said: str) -> None:
    now = watched.made.clock.now()
    assert said in overdue.sentence(now - timedelta(minutes=minutes) if minutes else None, now)


# --- events that change a verdict and train nothing


@pytest.mark.parametrize(
    ("event", "numbers"),
    [
        (CommentChanged(number=7, comment_id=3), ["7"]),
        (
            PullRequestChanged(
                number=8,
                action="labeled",
                head_sha="a" * 40,
                base_ref="main",
                from_fork=False,
                draft=False,
                sender=DANA,
            ),
            ["8"],
        ),
        (ReviewChanged(number=7, head_sha=None), ["7"]),
        (ReviewChanged(number=None, head_sha="a" * 40), ["7", "8"]),
    ],
)
def test_what_changed_is_judged_and_one_that_fails_keeps_no_other_back(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, event: Any, numbers: list[str]
) -> None:
    judged: list[str] = []

    def rejudge(number: int, job: Job) -> Any:
        judged.append(str(number))
        raise UserError(f"#{number} cannot be judged")

    monkeypatch.setattr(reviewed_job, "rejudge", rejudge)
    watched.job.ports.pull_requests.for_commit = lambda sha: [7, 8]  # type: ignore[method-assign]
    with pytest.raises(MlbotError):
        reviewed_job.run(event, watched.job)
    assert judged == numbers


def test_parts_raise_what_may_help_to_try_again_first() -> None:
    parts = Parts()
    assert parts.attempt("one", lambda: 1) == 1
    parts.finish()
    for name, error in {"two": UserError("no"), "three": WorldError("later")}.items():
        assert parts.attempt(name, _raising(error), 0) == 0
    with pytest.raises(WorldError, match="later"):
        parts.finish()


def test_a_full_disk_is_no_bug() -> None:
    parts = Parts()
    parts.attempt("one", _raising(OSError(errno.ENOSPC, "No space left on device")), 0)
    with pytest.raises(WorldError, match="disk is full"):
        parts.finish()


def _raising(error: Exception) -> Callable[[], int]:
    def act() -> int:
        raise error

    return act
