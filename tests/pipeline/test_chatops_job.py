"""A comment in the job that handles it: what is heard, what is answered, and what is started."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import MlbotError, UserError, WorldError
from bot.pipeline import answer, chatops_job
from bot.ports import Comment, TrainingRun
from bot.records.event import Account, CommentCreated
from bot.records.ledger import revocation_path
from tests.fakes.conversation import NOW
from tests.pipeline.test_train_and_report import SPEC, penalised
from tests.pipeline.world import GATES, NUMBER, World, world

PEOPLE = {
    name: Account(id=id_, login=name)
    for name, id_ in {"dana": 1001, "owen": 1002, "rhea": 1004, "mallory": 1005}.items()
}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A pull request of dana's that nothing was evaluated of."""
    made = world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})
    made.talk.workflows = frozenset({"pull-request.yml", "promote.yml"})
    return made


def say(
    made: World, body: str, login: str = "dana", *, pull: Mapping[str, Any] | None = None, stored: str | None = None,
    edited: bool = False, number: int | None = None, **ports: Any,
) -> str:  # fmt: skip
    """What the bot replies, empty for nothing. `stored` is what GitHub holds by now, when it differs."""
    talk, at = made.talk, NOW + timedelta(minutes=len(made.talk.comments_))
    number = 1000 + len(talk.comments_) if number is None else number
    moved = at + timedelta(hours=1) if edited else at
    talk.comments_.append(Comment(number, PEOPLE[login], body if stored is None else stored, at, moved))
    before = len(talk.comments_)
    job = made.job()
    github: Any = job.ports.pull_requests
    github.roles["mallory"] = (1005, "read")
    github.pulls[NUMBER] = replace(github.pulls[NUMBER], **(pull or {}))
    event = CommentCreated(number=NUMBER, comment_id=number, author=PEOPLE[login], sender=PEOPLE[login], body=body)
    chatops_job.run(event, replace(job, ports=replace(job.ports, **ports)))
    return html.unescape("\n".join(one.body.partition("-->\n")[2] for one in talk.comments_[before:]))


def test_talk_is_no_command_and_costs_nothing(made: World) -> None:
    assert say(made, "hello\n> /approve\n\n    /approve") == ""
    assert made.talk.asked == [] and made.talk.reactions == []


def test_two_words_that_contradict_each_other_are_refused_in_one_reply_and_neither_counts(made: World) -> None:
    made.evaluate()
    said = say(made, f"/approve {made.sha}\n/reject --reason no", "owen")
    assert "`/approve` and `/reject` in one comment contradict each other" in said and said.count("Line") == 1
    assert made.talk.statuses_["mlbot/verdict"][0] == "pending" and "rejected" not in made.rejudge()


@pytest.mark.parametrize("changes", [{"stored": "/status please"}, {"edited": True}])
def test_a_comment_that_was_edited_meanwhile_does_nothing_and_says_so(made: World, changes: dict[str, Any]) -> None:
    assert "an edited comment never acts" in say(made, "/retrain", **changes)
    assert made.talk.dispatched == []


def test_a_comment_that_is_gone_does_nothing(made: World) -> None:
    event = CommentCreated(number=NUMBER, comment_id=9, author=PEOPLE["owen"], sender=PEOPLE["owen"], body="/retrain")
    chatops_job.run(event, made.job())
    assert made.talk.comments_ == [] and made.talk.dispatched == []


def test_what_was_asked_is_done_before_anything_is_answered(made: World) -> None:
    assert say(made, "/retrain", "owen") == ""
    assert [one for one in made.talk.asked if one.startswith("POST")] == ["POST dispatch", "POST reaction"]
    assert made.talk.reactions == [(1000, "+1")]


def test_a_reply_is_the_only_answer(made: World) -> None:
    assert "Cannot be judged" in say(made, "/status", "owen")
    assert made.talk.reactions == []


LOCKED = UserError("GitHub refuses: Unable to create comment because issue is locked. (403)", code="forbidden")


def test_in_a_locked_conversation_a_command_acts_and_its_answer_is_a_status(made: World) -> None:
    made.talk.refusals = {"comment": LOCKED, "reaction": LOCKED}
    assert say(made, "/retrain", "owen") == ""
    assert len(made.talk.dispatched) == 1
    assert made.talk.statuses_[answer.STATUS] == ("success", "@owen: done, the report shows it")
    say(made, "/merge", "owen")
    assert made.talk.statuses_[answer.STATUS][1].startswith("@owen: `merge` was refused (")
    assert any("`merge` was refused" in one for one in made.said)


def test_a_veto_that_cannot_be_acknowledged_stands(made: World) -> None:
    made.evaluate()
    made.talk.refusals = {"comment": LOCKED, "reaction": LOCKED}
    say(made, "/hold --reason x", "owen")
    assert made.talk.statuses_["mlbot/verdict"][0] in ("failure", "error")


@pytest.mark.parametrize("error", [WorldError("GitHub failed: Bad gateway (502)"), KeyError("sha")])
def test_a_command_that_fails_is_answered_and_not_tried_again_behind_anybodys_back(
    made: World, error: Exception
) -> None:
    made.talk.refusals = {"dispatch": error}
    with pytest.raises(MlbotError):
        say(made, "/retrain\n/status", "owen")
    text = html.unescape(made.talk.comments_[-1].body)
    assert "`retrain` failed: " in text and "Write it again" in text and "```text" in text
    made.talk.refusals = {}
    assert say(made, "/retrain\n/status", "owen", number=1000) == ""
    assert made.talk.dispatched == []


def test_an_answer_that_a_crash_swallowed_is_given_by_the_next_run_and_nothing_is_done_twice(made: World) -> None:
    made.talk.refusals = {"reaction": Died(), "comment": Died()}
    for body in ("/retrain", "/retrain\n/merge"):
        with pytest.raises(Died):
            say(made, body, "owen", number=hash(body))
        made.talk.refusals.pop("reaction", None)
    made.talk.refusals = {}
    assert say(made, "/retrain", "owen", number=hash("/retrain")) == ""
    assert "`retrain`: done." in say(made, "/retrain\n/merge", "owen", number=hash("/retrain\n/merge"))
    assert len(made.talk.dispatched) == 2 and made.talk.reactions == [(hash("/retrain"), "+1")]


class Died(BaseException):
    """The job is gone; nobody can catch it."""


def test_nobody_without_a_role_makes_the_bot_talk_more_than_once_a_day(made: World) -> None:
    assert say(made, "/status", "mallory")
    made.clock.pass_days(0.4)
    assert say(made, "/status", "mallory") == say(made, "/aprove", "mallory") == say(made, "/hold", "mallory") == ""
    assert made.talk.reactions == []
    assert say(made, "/status", "owen") and say(made, "/status", "owen"), "who may write gets each answer"
    made.clock.pass_days(1)
    assert say(made, "/status", "mallory")


def test_where_policies_do_not_load_whoever_may_write_is_told_why(made: World) -> None:
    made.base["policies/roles.yaml"] = b"roles: 7\n"
    for login, answered in (("mallory", True), ("mallory", False), ("owen", True), ("owen", True)):
        with pytest.raises(UserError):
            say(made, "/approve", login)
        mine = f"to {PEOPLE[login].id} -->" in made.talk.comments_[-1].body
        assert (mine and "`command` was refused" in made.talk.comments_[-1].body) is answered, login


def test_when_one_command_is_wrong_none_is_carried_out(made: World) -> None:
    assert "Nothing was done" in say(made, "/retrain\n/aprove")
    assert made.talk.dispatched == []


def test_commands_run_in_order_and_a_refused_one_stops_no_other(made: World) -> None:
    said = say(made, "/merge\n/retrain churn", "owen")
    assert said.startswith("`merge` was refused") and said.endswith("\n\n`retrain`: done.")
    assert [inputs["models"] for _, inputs in made.talk.dispatched] == ["churn"]


def test_a_seed_travels_with_the_dispatch(made: World) -> None:
    assert say(made, "/retrain churn seed=7") == ""
    ((file, inputs),) = made.talk.dispatched
    assert (file, inputs["models"], inputs["seed"], inputs["number"]) == ("pull-request.yml", "churn", "7", "7")


@pytest.mark.parametrize(
    ("body", "pull", "code"),
    [
        ("/retrain", {"from_fork": True}, "target_missing"),
        ("/retrain " + "e" * 40, {}, "ref_changed"),
        ("/retrain " + "e" * 40, {"from_fork": True}, "ref_changed"),
    ],
)
def test_training_another_head_than_the_live_one_is_refused_with_the_line_to_paste(
    made: World, body: str, pull: dict[str, Any], code: str
) -> None:
    said = say(made, body, "owen", pull=pull)
    assert code in said and f"    /retrain {made.sha}" in said
    assert made.talk.dispatched == []


def test_one_person_uses_a_command_as_often_a_day_as_the_policy_says(made: World) -> None:
    """Counted by person and command, over comments and within one; what was refused does not count."""
    commands = made.base["policies/commands.yaml"].replace(b"per_actor_per_day: 20", b"per_actor_per_day: 2")
    made.base["policies/commands.yaml"] = commands
    assert say(made, "/retrain churn") == ""
    assert "target_missing" in say(made, "/retrain", "owen", pull={"from_fork": True})
    said = say(made, "/retrain churn\n/retrain value")
    assert said.startswith("`retrain`: done.") and "budget_exceeded" in said and "2 times a day" in said
    assert "budget_exceeded" in say(made, "/retrain churn")
    assert say(made, "/plan") == "", "another command"
    assert say(made, "/retrain churn", "owen") == "", "another person"
    made.clock.pass_days(1.01)
    assert say(made, "/retrain churn") == ""
    assert [one["models"] for _, one in made.talk.dispatched] == ["churn", "churn", "", "churn", "churn"]


def test_a_budget_also_bounds_commands_that_start_nothing(made: World) -> None:
    commands = made.base["policies/commands.yaml"] + b"  status: {permission: read, budget: {per_actor_per_day: 1}}\n"
    made.base["policies/commands.yaml"] = commands
    assert "budget_exceeded" not in say(made, "/status")
    assert "budget_exceeded" in say(made, "/status")


def test_an_artifact_is_revoked_by_who_may_and_stays_so(made: World) -> None:
    made.evaluate()
    head = next(json.loads(made.ledger.get(path) or b"") for path in made.ledger.paths("heads/"))
    digest = head["models"]["churn"]["artifact_digest"]
    assert "command_not_allowed" in say(made, f"/revoke {digest} --reason leak", "dana")
    assert "artifact_unknown" in say(made, f"/revoke {'0' * 64} --reason leak", "owen")
    said = say(made, f"/revoke {digest} --reason leaked labels", "owen")
    assert f"<code>{digest}</code> is revoked" in said
    assert json.loads(made.ledger.get(revocation_path(digest)) or b"")["reason"] == "leaked labels"
    assert "was revoked" in made.comment(), "the report of the pull request says so"
    assert "not_needed" in say(made, f"/revoke {digest} --reason again", "owen")


@pytest.mark.parametrize("login", ["a", "at", "da", "e", "owen"])
def test_the_reason_why_an_approval_does_not_count_is_that_persons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    """Whatever the login is: it is not looked for in sentences."""
    strict = GATES.replace(b"value: 0.6", b"value: 0.9999")
    made = world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)}, gates=strict)
    roles = made.base["policies/roles.yaml"].replace(b"dana#1001", login.encode() + b"#1001")
    made.base["policies/roles.yaml"] = roles.replace(b"owen#1002", b"olga#1002") if login == "owen" else roles
    made.evaluate()
    author = Account(id=1001, login=login)
    monkeypatch.setitem(PEOPLE, "dana", author)
    said = say(made, f"/approve {made.sha}", "dana", pull={"author": author})
    assert "refused (self_approval)" in said and f"{login}: command" in said, said


def test_what_the_verdict_would_be_for_another_branch(made: World) -> None:
    made.evaluate()
    say(made, f"/approve {made.sha}", "owen")
    said = say(made, "/simulate +approve=@vera base=release", "owen")
    assert "they approved and the change went to release" in said and "[voided]" in said
    assert "[voided]" not in say(made, "/simulate base=main", "owen")
    assert "[voided]" not in say(made, "/simulate +approve=@vera", "owen")


def test_a_prefix_changes_commands_and_no_words_of_people(made: World) -> None:
    made.base["policies/commands.yaml"] = made.base["policies/commands.yaml"].replace(b"prefix: null", b"prefix: ml")
    made.evaluate()
    words = "cannot open /plan or /merge"
    say(made, f"/ml hold --reason {words}", "owen")
    assert words in made.comment() and "/ml unhold" in made.comment() and "/ml approve" in made.comment()
    assert words in say(made, "/ml status", "owen")
    assert words in say(made, f"/ml lock production --reason {words}", "owen")
    assert words in say(made, "/ml lock production --reason mine", "rhea")
    assert "/ml retrain" in say(made, "/ml retrain " + "e" * 40, "owen")


def test_a_job_of_a_comment_that_was_carried_out_does_nothing_when_it_is_run_again(made: World) -> None:
    """Whoever presses "Re-run"."""
    for _ in range(2):
        say(made, "/retrain", "owen", number=1001)
    assert len(made.talk.dispatched) == 1
    assert any("carried out, or refused, before" in one for one in made.said)


def test_what_was_refused_is_not_tried_again_by_running_its_job_later(made: World) -> None:
    """Else somebody without a role chooses the moment; an answer is given again, and a new comment asks again."""
    assert "was refused" in say(made, "/merge", "owen")
    assert say(made, "/merge", "owen", number=1000) == "" and "POST merge" not in made.talk.asked
    assert "was refused" in say(made, "/merge", "owen")
    assert say(made, "/status", "owen", number=2000) and not say(made, "/status", "owen", number=2000), "one answer"


class Runs:
    """Port TrainingRuns: what goes, and what was cancelled."""

    def __init__(self, *going: int) -> None:
        self.left, self.cancelled = list(going), list[int]()

    def started_by(self, login: str, workflow: str, since: datetime) -> int:
        return 0

    def of(self, number: int) -> list[TrainingRun]:
        return [TrainingRun(one, NOW, True, False) for one in self.left] if number == NUMBER else []

    def cancel(self, run_id: int) -> bool:
        self.cancelled.append(run_id)
        return run_id != 6  # which has ended in the meantime


@pytest.mark.parametrize(
    ("going", "said"), [((5, 6), 'actions/runs/5">run 5</a>. '), ((6,), "nothing_to_cancel"), ((), "nothing_to_cancel")]
)
def test_cancel_names_what_it_stopped(made: World, going: tuple[int, ...], said: str) -> None:
    runs = Runs(*going)
    assert said in say(made, "/cancel", "owen", training_runs=runs)
    assert runs.cancelled == list(going)


def test_nobody_without_permission_starts_stops_or_merges_anything(made: World) -> None:
    runs = Runs(5)
    for body in ("/cancel", "/retrain", "/merge", "/hold --reason x", "/lock production --reason x", "/plan"):
        said = say(made, body, "mallory", training_runs=runs)
        assert "was refused" in said, body
        made.clock.pass_days(1)
    assert made.ledger.paths("handled/") == [], "a stranger writes nothing to the ledger"
    assert (runs.cancelled, made.talk.dispatched, made.talk.merged) == ([], [], [])
