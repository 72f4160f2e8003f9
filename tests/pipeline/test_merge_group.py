"""The merge queue's group goes in when the newest decision approves just these inputs, and not otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.pipeline.merge_group import verify_group
from bot.plan.step import plan
from bot.records.decision import Decision
from bot.records.event import MergeGroupRequested
from bot.records.ledger import decision_path
from tests.builders import a_decision
from tests.pipeline.test_train_and_report import SPEC, penalised
from tests.pipeline.world import BASE, World, world

FIRST, SECOND = "2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})


def group(made: World, *decisions: Decision) -> str:
    """The state of both statuses on the group commit, after these decisions on the ledger."""
    made.ledger.files.update({decision_path(one.number, one.digest()): one.canonical() for one in decisions})
    event = MergeGroupRequested(head_sha=made.sha, base_sha=BASE, base_ref="main")
    verify_group(event, made.job())
    states = {state for state, _ in made.talk.statuses_.values()}
    assert len(states) == 1 and made.talk.statuses_.keys() == {"mlbot/evaluation", "mlbot/verdict"}
    return states.pop()


def decided(made: World, status: str, at: str, number: int = 7, digest: str | None = None) -> Decision:
    """A merge decision on the inputs of the group."""
    found = a_decision(status, number=number, decided_at=at)
    inputs = digest or plan(BASE, made.sha, made.job().ports).planned[0].inputs_digest
    models = tuple(one.model_copy(update={"inputs_digest": inputs}) for one in found.models)
    return found.model_copy(update={"models": models})


def test_what_was_approved_goes_in(made: World) -> None:
    assert group(made, decided(made, "approved", FIRST)) == "success"


def test_what_nobody_approved_does_not(made: World) -> None:
    assert group(made) == "failure"
    assert group(made, decided(made, "approved", FIRST, digest="sha256:" + "0" * 64)) == "failure"


@pytest.mark.parametrize("at", [FIRST, SECOND])
def test_a_hold_after_the_approval_stops_the_group(made: World, at: str) -> None:
    """Also when both were decided in the same second."""
    assert group(made, decided(made, "approved", FIRST), decided(made, "rejected", at)) == "failure"


def test_another_pull_request_with_the_same_inputs_may_have_approved_them(made: World) -> None:
    both = decided(made, "pending", SECOND), decided(made, "approved", FIRST, number=8)
    assert group(made, *both) == "success"


def test_a_decision_about_an_environment_is_no_approval_of_a_merge(made: World) -> None:
    promoted = decided(made, "approved", FIRST).model_copy(update={"subject": "staging"})
    assert group(made, promoted) == "failure"
