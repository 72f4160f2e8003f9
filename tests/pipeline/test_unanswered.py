"""A command whose run was lost, or died, is carried out once and answered once by the next reconcile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Parts, UserError, WorldError
from bot.pipeline import answer, chatops_job
from bot.pipeline.judge import policies_of
from bot.pipeline.unanswered import GRACE, answer_unanswered
from bot.ports import Comment
from bot.records.event import CommentCreated
from tests.pipeline.test_chatops_job import LOCKED, PEOPLE, Died, say
from tests.pipeline.test_train_and_report import SPEC, penalised
from tests.pipeline.world import World, world


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})
    made.talk.workflows = frozenset({"pull-request.yml", "promote.yml"})
    return made


def lose(made: World, body: str, login: str = "owen", *, minutes: float = 10, edited: bool = False) -> int:
    """Somebody writes a comment, and its run never comes."""
    at = made.clock.now() - timedelta(minutes=minutes)
    number = 5000 + len(made.talk.comments_)
    made.talk.comments_.append(Comment(number, PEOPLE[login], body, at, at + timedelta(hours=edited)))
    return number


def reconcile(made: World) -> Parts:
    """The part that answers; what it failed at. Thumbs are seen as GitHub shows them."""
    job, parts = made.job(), Parts()
    github: Any = job.ports.pull_requests
    github.roles["mallory"] = (1005, "read")
    github.thumbs = {number for number, content in made.talk.reactions if content == "+1"}
    answer_unanswered(policies_of(job), job, parts)
    return parts


def replies(made: World) -> list[str]:
    return [one.body for one in made.talk.comments_ if one.body.startswith(answer.MARK)]


def test_a_command_whose_run_was_lost_is_carried_out_and_answered_once(made: World) -> None:
    lose(made, "/retrain")
    lose(made, "/status")
    for _ in range(3):
        assert reconcile(made).failed == []
    assert len(made.talk.dispatched) == 1 and len(replies(made)) == 1 and len(made.talk.reactions) == 1


def test_what_was_done_before_the_crash_is_only_answered(made: World) -> None:
    made.talk.refusals = {"reaction": Died()}
    with pytest.raises(Died):
        say(made, "/retrain", "owen", number=7000)
    made.talk.refusals = {}
    made.clock.at = made.talk.comments_[0].created_at + timedelta(hours=2)
    reconcile(made)
    assert len(made.talk.dispatched) == 1 and made.talk.reactions == [(7000, "+1")]


@pytest.mark.parametrize(
    ("body", "login", "given"),
    [
        ("hello", "owen", {}),
        ("/status", "mallory", {}),  # who holds no role is owed one a day at most, and none for a lost run
        ("/retrain", "owen", {"edited": True}),
        ("/retrain", "owen", {"minutes": GRACE.total_seconds() / 60 - 1}),
        ("/retrain", "owen", {"minutes": 73 * 60}),
    ],
    ids=["talk", "no role", "edited", "its own run may still come", "of days before"],
)
def test_nothing_else_is_heard(made: World, body: str, login: str, given: Any) -> None:
    lose(made, body, login, **given)
    reconcile(made)
    assert (made.talk.dispatched, replies(made), made.talk.reactions) == ([], [], [])


def test_what_would_act_a_day_later_is_only_answered_and_an_opinion_counts_whenever_it_is_heard(made: World) -> None:
    lose(made, "/retrain", minutes=25 * 60)
    lose(made, "/status", minutes=25 * 60)
    for _ in range(2):
        assert reconcile(made).failed == []
    first, second = replies(made)
    assert "Write it again" in first and "```text" in second and made.talk.dispatched == []


def test_who_is_named_and_lost_the_permission_is_not_heard_each_hour(made: World) -> None:
    """The answer that a stranger is owed once a day is not given by reconcile, and nothing is judged for it."""
    made.people["owen"] = (1002, "read")
    lose(made, "/status", "owen")
    reconcile(made)
    assert replies(made) == [] and made.ledger.paths("decisions/") == []


def test_its_own_run_that_comes_after_that_answer_does_nothing_more(made: World) -> None:
    number = lose(made, "/retrain", minutes=25 * 60)
    reconcile(made)
    event = CommentCreated(number=7, comment_id=number, author=PEOPLE["owen"], sender=PEOPLE["owen"], body="/retrain")
    chatops_job.run(event, made.job())
    assert made.talk.dispatched == [] and made.talk.reactions == []
    assert [answer.MARK in one and "Nothing was started" in one for one in replies(made)] == [True]


def test_what_was_done_a_day_ago_and_not_answered_is_not_called_undone(made: World) -> None:
    made.talk.refusals = {"reaction": Died()}
    with pytest.raises(Died):
        say(made, "/retrain", "owen", number=7000)
    made.talk.refusals = {}
    made.clock.at = made.talk.comments_[0].created_at + timedelta(hours=26)
    reconcile(made)
    assert replies(made) == [] and made.talk.reactions == [(7000, "+1")]


def test_of_two_runs_at_the_same_moment_one_answers(made: World) -> None:
    """The other one noted the commands first."""

    def commit(files: Any, message: str, **_options: Any) -> str:
        if any(path.startswith("handled/") for path in files):
            raise UserError("handled/7/5000.json is there already and differs", code="ledger_conflict")
        return type(made.ledger).commit(made.ledger, files, message) or ""

    made.ledger.commit = commit  # type: ignore[method-assign]
    lose(made, "/retrain")
    reconcile(made)
    assert replies(made) == [] and made.talk.reactions == []


def test_of_two_answers_that_were_posted_at_the_same_moment_one_stays(made: World) -> None:
    lose(made, "/status")
    reconcile(made)
    (first,) = [one for one in made.talk.comments_ if one.body.startswith(answer.MARK)]
    made.talk.comments_.append(replace(first, id=9999))
    assert reconcile(made).failed == [] and len(replies(made)) == 1


def test_in_a_locked_conversation_it_is_answered_once_in_a_status(made: World) -> None:
    made.talk.refusals = {"comment": LOCKED, "reaction": LOCKED}
    lose(made, "/retrain")
    reconcile(made)
    assert made.talk.statuses_[answer.STATUS][1].startswith("@owen: ")
    made.talk.asked.clear()
    reconcile(made)
    assert not any(one.startswith("POST") for one in made.talk.asked) and len(made.talk.dispatched) == 1


def test_answers_to_several_people_in_a_locked_conversation_do_not_chase_each_other(made: World) -> None:
    """One status holds one answer; the ledger holds whom it was given."""
    made.talk.refusals = {"comment": LOCKED, "reaction": LOCKED}
    lose(made, "/status", "owen")
    lose(made, "/status", "dana")
    reconcile(made)
    made.talk.asked.clear()
    tip = made.ledger.paths("")
    reconcile(made)
    assert not any(one.startswith("POST") for one in made.talk.asked) and made.ledger.paths("") == tip


def test_one_that_fails_keeps_no_other_back(made: World) -> None:
    made.talk.refusals = {"dispatch": WorldError("GitHub failed: Bad gateway (502)")}
    lose(made, "/retrain")
    lose(made, "/status")
    failed = reconcile(made).failed
    assert [name.startswith("comment 5000") for name, _ in failed] == [True] and len(replies(made)) == 2


def test_comments_that_github_does_not_list_stop_nothing(made: World) -> None:
    job, parts = made.job(), Parts()

    def said(since: Any) -> Any:
        raise UserError("GitHub refuses: no (403)")

    job.ports.pull_requests.said = said  # type: ignore[method-assign]
    answer_unanswered(policies_of(job), job, parts)
    assert [name for name, _ in parts.failed] == ["comments"]
