"""Names come from GitHub: whoever starts a workflow by hand speaks for nobody else, and only as far as their role."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.cli.handle import inputs_of
from bot.decide.case import Case
from bot.decide.step import asking
from bot.errors import UserError, WorldError
from bot.pipeline import chatops_job, plan_job, promote_job, report_job
from bot.pipeline.judge import policies_of
from bot.ports import Comment
from bot.records.event import Account, CommentCreated, Dispatched, Scheduled
from bot.records.ledger import Accepted, accepted_path, acted_path
from tests.fakes.conversation import BOT, NOW
from tests.pipeline.test_train_and_report import SPEC, penalised
from tests.pipeline.world import DANA, NUMBER, World, world
from tests.promote.test_job import NUMBER as MERGED
from tests.promote.test_job import World as Promoting
from tests.promote.test_job import world as promoting

EVE, OWEN, RHEA = Account(id=6666, login="eve"), Account(id=1002, login="owen"), Account(id=1004, login="rhea")
__all__ = ["promoting"]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A pull request of dana's, evaluated; eve may write here and holds no role."""
    found = world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})
    found.people |= {"eve": (6666, "write"), "nora": (7777, "read")}
    found.talk.workflows = frozenset({"pull-request.yml", "promote.yml"})
    found.evaluate()
    return found


def dispatched(sender: Account, **inputs: str) -> Dispatched:
    return Dispatched(workflow="pull-request", inputs={"number": str(NUMBER), **inputs}, sender=sender)


def said(made: World, author: Account, body: str) -> int:
    """A comment, as chatops handles it."""
    at, number = NOW + timedelta(minutes=len(made.talk.comments_)), 1000 + len(made.talk.comments_)
    made.talk.comments_.append(Comment(number, author, body, at, at))
    event = CommentCreated(number=NUMBER, comment_id=number, author=author, sender=author, body=body)
    with contextlib.suppress(WorldError):
        chatops_job.run(event, made.job())
    return number


def code_of(made: World, event: Dispatched) -> str:
    """Why the run trains nothing, empty when it does; and the report would name nobody whom the plan refused."""
    before, job = dict(made.ledger.files), made.next_job()
    try:
        plan_job.run(event, job)
    except UserError as error:
        assert made.ledger.files == before
        return error.code
    return ""


def test_the_number_of_somebody_elses_remark_frames_nobody_and_hides_nobody(made: World) -> None:
    """Owen wrote "nice work": eve makes him no party to a training, and he hides behind no remark of eve's."""
    remarks = [said(made, OWEN, "nice work"), said(made, EVE, "looks interesting")]
    for sender in (EVE, OWEN, BOT):
        for comment in (*remarks, 999, 0, -1, "x", "1000.json/../7", f"{remarks[0]} "):
            event = dispatched(sender, comment_id=str(comment))
            assert code_of(made, event) == ("not_accepted" if sender == BOT else "comment_named"), comment
            with pytest.raises(UserError):
                report_job._starter(event, NUMBER, made.job())
    assert not [path for path in made.ledger.files if "/initiator/" in path and not path.endswith("/1001.json")]


def test_who_dispatches_is_who_started_the_training(made: World) -> None:
    for sender in (DANA, OWEN):
        made.run(dispatched(sender, models="churn"), made.next_job())
    names = {path.rpartition("/")[2] for path in made.ledger.files if "/initiator/" in path}
    assert names == {"1001.json", "1002.json"}


@pytest.mark.parametrize(
    "inputs", [{"models": "churn"}, {"head": "1" * 40}, {"seed": "3"}], ids=lambda one: next(iter(one))
)
def test_more_than_a_push_starts_needs_the_role_of_retrain(made: World, inputs: dict[str, str]) -> None:
    assert code_of(made, dispatched(EVE, **inputs)) == "command_not_allowed"
    assert code_of(made, dispatched(BOT, **inputs)) == "promoter_missing", "any branch's workflow is that bot"
    assert code_of(made, dispatched(OWEN, **inputs)) == ""


def test_a_dispatch_without_anything_needs_what_plan_needs(made: World) -> None:
    assert code_of(made, dispatched(EVE)) == code_of(made, dispatched(BOT)) == ""
    assert code_of(made, dispatched(Account(id=7777, login="nora"))) != ""


OTHERS: list[dict[str, str]] = [
    {"models": "value"}, {"models": "churn value"}, {"seed": "4"}, {"head": "2" * 40}, {"head": ""}, {"number": "8"},
]  # fmt: skip


@pytest.mark.parametrize("change", OTHERS, ids=str)
def test_what_was_accepted_is_started_with_exactly_its_inputs(made: World, change: dict[str, str]) -> None:
    said(made, OWEN, "/retrain churn seed=3")
    ((_, inputs),) = made.talk.dispatched
    event = Dispatched(workflow="pull-request", inputs=inputs, sender=BOT)
    assert code_of(made, event) == "" and report_job._starter(event, NUMBER, made.job()) == OWEN.id
    assert code_of(made, event.model_copy(update={"inputs": inputs | change})) in ("not_accepted", "not_found")
    assert code_of(made, event.model_copy(update={"sender": EVE})) == "comment_named"


def test_a_command_that_was_refused_starts_nothing_later_whoever_dispatches_it(made: World) -> None:
    """Eve holds no role when she asks and gets one later; owen's was accepted, and then GitHub failed."""
    refused = said(made, EVE, "/retrain churn")
    made.talk.refusals = {"dispatch": WorldError("GitHub failed: Bad gateway (502)")}
    failed = said(made, OWEN, "/retrain churn")
    made.talk.refusals = {}
    roles = made.base["policies/roles.yaml"].replace(b"[dana#1001]", b"[dana#1001, eve#6666]")
    made.base["policies/roles.yaml"] = roles
    for comment in (refused, failed):
        inputs = {"head": made.sha, "models": "churn", "comment_id": str(comment)}
        assert code_of(made, dispatched(BOT, **inputs)) == "not_accepted"


def test_an_acceptance_is_of_its_own_comment_and_pull_request(made: World) -> None:
    """A fact that lies at the path of another comment says nothing about it."""
    comment = said(made, OWEN, "/retrain churn")
    ((path, data),) = [one for one in made.ledger.files.items() if one[0].startswith("accepted/")]
    other = Accepted.parse(data, source=path).model_copy(update={"comment_id": 5})
    made.ledger.files[accepted_path(other)] = data
    inputs = {**made.talk.dispatched[0][1], "comment_id": "5"}
    assert code_of(made, Dispatched(workflow="pull-request", inputs=inputs, sender=BOT)) == "not_accepted"
    assert comment != 5


@pytest.mark.parametrize(("sender", "live"), [(EVE, False), (RHEA, True)], ids=["no role", "release manager"])
def test_a_promotion_by_hand_needs_the_role_of_promote(
    promoting: Promoting, monkeypatch: pytest.MonkeyPatch, sender: Account, live: bool
) -> None:
    """Even where everything else is approved."""
    from bot.decide.orders import checked

    def judge(number: int, about: str, job: Any, *, asked: Any, merged: Any, actor: Account) -> Any:
        policies, decision = policies_of(job), SimpleNamespace(status="approved", digest=lambda: f"sha256:{'0' * 64}")
        case = Case(asking(number, actor, policies, job.ports), policies, job.ports.clock.now())
        return SimpleNamespace(decision=decision, facts=SimpleNamespace(asked=asked), case=case)

    monkeypatch.setattr(promote_job, "judge", judge)
    monkeypatch.setattr(promote_job, "checked", checked)
    ports = promoting.ports()
    ports.pull_requests.roles = {"eve": (6666, "write"), "rhea": (1004, "maintain")}  # type: ignore[attr-defined]
    inputs = {"action": "promote", "environment": "production", "number": str(MERGED), "model": "churn"}
    event = Dispatched(workflow="promote", inputs=inputs, sender=sender)
    if live:
        promoting.run(event, ports)
    else:
        with pytest.raises(UserError) as caught:
            promoting.run(event, ports)
        assert caught.value.code == "command_not_allowed"
    assert promoting.live() == (["production/churn/release.json"] if live else [])


@pytest.mark.parametrize("sender", [EVE, BOT], ids=["person", "bot"])
def test_nobody_is_promoted_by_in_their_name(promoting: Promoting, sender: Account) -> None:
    """Rhea's command was refused, as she held no role then; the bot noted nothing of it."""
    body = "/promote E-kl524gx3f37mlat6 churn to production"
    promoting.talk.comments_.append(Comment(id=78, author=RHEA, body=body, created_at=NOW, updated_at=NOW))
    inputs = {"action": "promote", "environment": "production", "number": str(MERGED), "model": "churn"}
    with pytest.raises(UserError):
        promoting.run(Dispatched(workflow="promote", inputs=inputs | {"comment_id": "78"}, sender=sender))
    assert promoting.live() == []


@pytest.mark.parametrize("inputs", [{"action": "rollback"}, {"model": "churn"}, {"comment_id": "78"}], ids=str)
def test_an_input_that_would_be_passed_over_is_an_error(promoting: Promoting, inputs: dict[str, str]) -> None:
    with pytest.raises(UserError) as caught:
        promoting.run(Dispatched(workflow="promote", inputs={"number": str(MERGED), **inputs}, sender=RHEA))
    assert caught.value.code == "target_missing" and promoting.live() == []


def test_an_answer_to_a_comment_is_not_replaced_by_whoever_names_it(promoting: Promoting) -> None:
    promoting.talk.upsert_comment(
        MERGED, "<!-- mlbot:promotion comment 77 -->", "<!-- mlbot:promotion comment 77 -->\nlive"
    )
    inputs = {"action": "promote", "environment": "production", "number": str(MERGED), "comment_id": "77 --><b>"}
    with pytest.raises(UserError):
        promoting.run(Dispatched(workflow="promote", inputs=inputs, sender=EVE))
    assert promoting.comments()[0].endswith("live") and "<b>" not in promoting.comments()[1]


def test_a_job_takes_a_written_list_of_values_from_its_environment_and_the_seed_from_github() -> None:
    environ = {
        "MLBOT_SEED": "7", "MLBOT_MODEL": "churn", "MLBOT_PLAN_DIGEST": "x", "MLBOT_SIGNING_KEY": "secret",
        "MLBOT_NUMBER": "8", "MLBOT_TRAIN_RESULT": "success",
    }  # fmt: skip
    passed = {"model": "churn", "plan_digest": "x", "train_result": "success"}
    assert inputs_of(Scheduled(schedule=""), environ) == passed
    assert inputs_of(dispatched(OWEN, seed="3"), environ) == passed | {"seed": "3"}


def test_what_the_ledger_says_of_an_acceptance_is_all_that_its_run_is_given(made: World) -> None:
    said(made, OWEN, "/retrain churn")
    (found,) = [json.loads(data) for path, data in made.ledger.files.items() if path.startswith("accepted/")]
    ((workflow, inputs),) = made.talk.dispatched
    assert found["author"]["id"] == OWEN.id and found["workflow"] == workflow == "pull-request.yml"
    assert found["inputs"] | {"comment_id": str(found["comment_id"])} == inputs and inputs["head"] == made.sha


@pytest.mark.parametrize(
    ("by_hand", "by_comment", "code"),
    [(20, 0, ""), (21, 0, "budget_exceeded"), (11, 9, ""), (11, 10, "budget_exceeded"), (1, 20, "budget_exceeded")],
)
def test_trials_by_hand_and_by_comment_are_one_budget(made: World, by_hand: int, by_comment: int, code: str) -> None:
    """GitHub counts the runs that somebody started, this one among them; the ledger counts their commands."""
    made.by_hand.started["owen", "pull-request.yml"] = by_hand
    at = made.clock.now().isoformat()
    for n in range(by_comment):
        note = json.dumps({"verbs": ["retrain"], "at": at}).encode()
        made.ledger.files[acted_path(OWEN.id, at, NUMBER, 500 + n)] = note
    assert code_of(made, dispatched(OWEN, seed="3")) == code
    said(made, OWEN, "/retrain churn")
    assert bool(made.talk.dispatched) is (by_hand + by_comment < 20), "a comment counts both, too"
