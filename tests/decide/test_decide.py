"""The line from facts to a verdict."""

from __future__ import annotations

import pytest

from bot.decide.explain import explain
from tests.decide.world import (
    ANN,
    BOB,
    H2,
    NOW,
    REV,
    codes,
    command,
    commit,
    facts,
    head,
    judge,
    model,
    pull_request,
    review,
)


def test_a_reviewer_s_approval_of_the_live_head_approves() -> None:
    decision = judge(facts(review(REV)))
    assert (decision.status, decision.reason_code) == ("approved", "approved")
    assert decision.unblock == ()
    assert [one.login for one in decision.models[0].approved_by] == ["rev"]


def test_the_author_s_own_approval_is_refused_with_a_reason() -> None:
    decision = judge(facts(review(ANN)))
    assert (decision.status, decision.reason_code) == ("pending", "self_approval")
    assert decision.unblock[0].who == ("rev",)
    assert decision.unblock[0].command == f"/approve {head().evaluation_id}"
    assert "self_approval" in explain(decision)


def test_an_approval_survives_a_push_that_changes_nothing_that_would_be_deployed() -> None:
    found = facts(review(REV), pr={"head_sha": H2}, heads=(head(), head(H2)), commits=(commit(), commit(H2)))
    assert judge(found).status == "approved"


def test_an_approval_falls_for_the_model_whose_inputs_moved_and_for_it_alone() -> None:
    taxi, churn, moved = model("taxi"), model(), model(version=2)
    found = facts(
        review(REV),
        pr={"head_sha": H2},
        heads=(head("1" * 40, churn, taxi), head(H2, moved, taxi)),
        commits=(commit(), commit(H2)),
        models=(moved, taxi),
    )
    decision = judge(found)
    assert {one.model: one.status for one in decision.models} == {"churn": "pending", "taxi": "approved"}
    assert "stale_head" in codes(decision.tree)


def test_nothing_is_allowed_by_default() -> None:
    assert judge(facts()).status == "pending"
    assert judge(facts(review(BOB))).status == "pending"


def test_a_time_without_a_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="time zone"):
        judge(facts(), now=NOW.replace(tzinfo=None))


def test_an_unknown_environment_blocks() -> None:
    decision = judge(facts(review(REV), subject="moon", pr={"merged": True, "state": "closed"}))
    assert (decision.status, decision.reason_code) == ("error", "unknown_environment")


def test_a_command_that_names_the_evaluation_approves() -> None:
    assert judge(facts(command(REV))).status == "approved"
    assert pull_request().merged is False
