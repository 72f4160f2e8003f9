# ruff: noqa: E501 (one row a case)
"""Lending a role, locking an environment, and answering for break-glass."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.decide import orders
from bot.decide.break_glass import request_id
from bot.decide.case import Case
from bot.errors import UserError
from bot.records.facts import Asked, BreakGlassUse, Delegation, EnvironmentFact, Lock
from tests.decide.test_promotion import DIGEST, GLASS, confirm, live
from tests.decide.world import (
    ANN,
    APP,
    APPROVALS,
    BOB,
    COMMANDS,
    ENVIRONMENTS,
    NOW,
    OWN,
    REL,
    REV,
    REV2,
    VAL,
    account,
    at,
    codes,
    command,
    facts,
    judge,
    p1,
    review,
)

LENDING = APPROVALS + "delegation: {roles: [reviewers], max_duration: 14d}\n"
ORDERS = COMMANDS + "  delegate: {roles: [reviewers]}\n  undelegate: {roles: [releasers]}\n"
ORDERS += "  lock: {roles: [owners, releasers]}\n  unlock: {roles: [releasers]}\n"
ORDERS += "  break-glass: {permission: write}\n  revoke: {roles: [releasers]}\n"
MERGED = {"pr": {"merged": True, "state": "closed"}}


def lent(**changes: Any) -> Delegation:
    fields = {
        "id": "7-c1",
        "delegator": REV,
        "delegate": BOB,
        "role": "reviewers",
        "reason": "holidays",
        "since": at(60 * 24),
        "until": at(-60 * 24),
    }
    return Delegation(**{**fields, **changes})


def case(**changes: Any) -> Case:
    policies = p1(approvals=LENDING, commands=ORDERS, environments=ENVIRONMENTS + GLASS)
    return Case(facts(**changes), policies, NOW)


LENT: list[tuple[str, dict[str, Any], str]] = [
    ("a lent role approves", {"delegations": (lent(),)}, "approved"),
    ("not before it begins", {"delegations": (lent(since=at(-1)),)}, "pending"),
    ("not when it is over", {"delegations": (lent(until=at(0)),)}, "pending"),
    ("not when it was taken back", {"delegations": (lent(revoked=True),)}, "pending"),
    ("not without a reason", {"delegations": (lent(reason=" "),)}, "pending"),
    ("not for longer than the policy allows", {"delegations": (lent(since=at(60 * 24 * 10), until=at(-60 * 24 * 5)),)}, "pending"),
    ("not a role that cannot be lent", {"delegations": (lent(role="owners", delegator=OWN),)}, "pending"),
    ("not by who does not hold it", {"delegations": (lent(delegator=VAL),)}, "pending"),
    ("not lent on", {"delegations": (lent(delegate=VAL), lent(id="2", delegator=VAL))}, "pending"),
    ("not to oneself", {"delegations": (lent(delegator=BOB),)}, "pending"),
    ("not by the author to a friend", {"delegations": (lent(),), "pr": {"author": account(REV)}}, "pending"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "status"), LENT, ids=[one[0] for one in LENT])
def test_delegation(name: str, changes: dict[str, Any], status: str) -> None:
    assert judge(facts(review(BOB), **changes), p1(approvals=LENDING)).status == status


def test_without_a_policy_nothing_is_lent() -> None:
    assert judge(facts(review(BOB), delegations=(lent(),))).status == "pending"


def test_lender_and_borrower_are_one_voice() -> None:
    two = p1(approvals=LENDING.replace("count: 1", "count: 2"))
    assert judge(facts(review(BOB), review(REV), delegations=(lent(),)), two).status == "pending"
    assert judge(facts(review(BOB), review(REV2), delegations=(lent(),)), two).status == "approved"


def test_two_borrowers_of_one_lender_are_one_voice() -> None:
    two = p1(approvals=LENDING.replace("count: 1", "count: 2"))
    both = (lent(), lent(id="2", delegate=VAL))
    assert judge(facts(review(BOB), review(VAL), delegations=both), two).status == "pending"


def test_the_tree_says_for_whom_somebody_spoke() -> None:
    decision = judge(facts(review(BOB), delegations=(lent(),)), p1(approvals=LENDING))
    assert "also for rev" in decision.tree.model_dump_json()
    assert [(one.login, one.role) for one in decision.models[0].approved_by] == [("bob", "reviewers")]


def test_delegate_writes_what_then_counts() -> None:
    written = orders.delegate("c9", account(REV), account(BOB), "reviewers", "14d", "holidays", case())
    (path, data), *_ = written.ledger.items()
    assert path == "delegations/7-c9.json"
    made = Delegation.model_validate_json(data)
    assert judge(facts(review(BOB), delegations=(made,)), p1(approvals=LENDING)).status == "approved"
    assert "until 2026-03-18T12:00:00Z" in written.sentence


@pytest.mark.parametrize(
    ("actor", "to", "role", "length", "reason", "code"),
    [
        (BOB, VAL, "reviewers", "1d", "x", "command_not_allowed"),
        (REV, BOB, "owners", "1d", "x", "command_not_allowed"),
        (REV, BOB, "reviewers", "15d", "x", "command_not_allowed"),
        (REV, BOB, "reviewers", "0d", "x", "command_not_allowed"),
        (REV, BOB, "reviewers", "1d", " ", "reason_missing"),
        (REV, REV, "reviewers", "1d", "x", "reason_missing"),
        (REV, APP, "reviewers", "1d", "x", "reason_missing"),
    ],
)
def test_delegate_is_refused(actor: int, to: int, role: str, length: str, reason: str, code: str) -> None:
    with pytest.raises(UserError) as caught:
        orders.delegate("c9", account(actor), account(to), role, length, reason, case())
    assert caught.value.code == code


def test_undelegate_by_lender_borrower_and_release_role_only() -> None:
    world = case(delegations=(lent(),))
    for actor in (REV, BOB, REL):
        written = orders.undelegate(account(actor), account(BOB), None, "back", world)
        assert list(written.ledger) == ["delegations/7-c1.revoked.json"]
    for actor, role in ((ANN, None), (REV, "owners")):
        with pytest.raises(UserError):
            orders.undelegate(account(actor), account(BOB), role, "back", world)


def test_a_lock_is_released_by_its_holder_or_the_unlock_role() -> None:
    written = orders.lock("production", account(OWN), "audit", (), case())
    data = written.environments["production/lock.json"]
    assert data is not None
    held = (EnvironmentFact(name="production", lock=Lock.model_validate(json.loads(data))),)
    for actor in (OWN, REL):
        assert orders.unlock("production", account(actor), held, case()).environments == {"production/lock.json": None}
    with pytest.raises(UserError, match="may not /unlock"):
        orders.unlock("production", account(BOB), held, case())
    with pytest.raises(UserError, match="own has locked"):
        orders.lock("production", account(REL), "mine", held, case())


@pytest.mark.parametrize(
    ("environment", "actor", "reason", "code"),
    [("moon", OWN, "x", "unknown_environment"), ("production", BOB, "x", "command_not_allowed"), ("production", OWN, "", "reason_missing")],
)  # fmt: skip
def test_lock_is_refused(environment: str, actor: int, reason: str, code: str) -> None:
    with pytest.raises(UserError) as caught:
        orders.lock(environment, account(actor), reason, (), case())
    assert caught.value.code == code


def test_unlocking_what_is_open_says_so() -> None:
    with pytest.raises(UserError, match="is not locked"):
        orders.unlock("production", account(REL), (), case())


def test_break_glass_leaves_a_review_that_none_of_its_people_can_give() -> None:
    request = command(REL, "break_glass", environment="production", ago=10, reason="outage")
    found = case(
        opinions=(review(REV), request, confirm(OWN)),
        subject="production",
        pr={"merged": True, "state": "closed"},
        asked=Asked(by=REL, at=at(1)),
        environments=(live(1),),
    )
    written = orders.break_glass_used(found)
    assert written is not None
    name = request_id(7, request.id)
    use = BreakGlassUse.model_validate_json(written.ledger[f"break_glass/{name}.json"])
    assert use.review_due == "2026-03-06T12:00:00Z" and use.people == (REL, OWN, ANN)
    later = case(break_glass=(use,))
    reviewed = orders.review_break_glass(name, account(VAL), "fine", later)
    assert reviewed is not None and list(reviewed.ledger) == [f"break_glass/{name}.reviewed.json"]
    for actor in (REL, BOB):
        with pytest.raises(UserError, match="cannot review"):
            orders.review_break_glass(name, account(actor), "fine", later)
    assert orders.review_break_glass("B-other", account(VAL), "fine", later) is None


def test_nothing_to_review_when_break_glass_was_not_used() -> None:
    assert orders.break_glass_used(case(subject="production")) is None


def test_a_revoked_artifact_is_a_fact_of_the_ledger() -> None:
    written = orders.revoke("sha256:" + "a" * 64, account(REL), "poisoned", (), case())
    assert list(written.ledger) == [f"revocations/{'a' * 64}.json"]
    assert codes(judge(facts(review(REV))).tree)


def attempts() -> list[Any]:
    """Every order once, granted and refused."""
    request = command(REL, "break_glass", environment="production", ago=10, reason="outage")
    used = case(
        opinions=(review(REV), request, confirm(OWN)),
        subject="production",
        pr={"merged": True, "state": "closed"},
        asked=Asked(by=REL, at=at(1)),
        environments=(live(1),),
    )
    use = BreakGlassUse(
        id="B-x", environment="production", at=at(9), review_due=at(0), reviewed=False, people=(REL, OWN)
    )
    held = (
        EnvironmentFact(name="staging"),
        EnvironmentFact(name="production", lock=Lock(holder=account(OWN), reason="audit", since=at(1))),
    )
    world, reviewing, lending = case(), case(break_glass=(use,)), case(delegations=(lent(), lent(id="2", revoked=True)))
    no_rule = Case(facts(), p1(commands=ORDERS), NOW)
    return [
        lambda: orders.delegate("c9", account(REV), account(BOB), "reviewers", "14d", "holidays", world),
        lambda: orders.delegate("c9", account(REV), account(BOB), "reviewers", "1d", "holidays", no_rule),
        lambda: orders.delegate("c9", account(BOB), account(VAL), "reviewers", "1d", "x", world),
        lambda: orders.delegate("c9", account(REV), account(BOB), "owners", "1d", "x", world),
        lambda: orders.delegate("c9", account(REV), account(BOB), "reviewers", "15d", "x", world),
        lambda: orders.delegate("c9", account(REV), account(REV), "reviewers", "1d", "x", world),
        lambda: orders.undelegate(account(REV), account(BOB), None, "back", lending),
        lambda: orders.undelegate(account(ANN), account(BOB), None, "back", lending),
        lambda: orders.lock("production", account(OWN), "audit", (), world),
        lambda: orders.lock("production", account(OWN), "again", held, world),
        lambda: orders.lock("production", account(REL), "mine", held, world),
        lambda: orders.lock("staging", account(REL), "mine", held, world),
        lambda: orders.lock("moon", account(OWN), "x", (), world),
        lambda: orders.lock("production", account(OWN), "", (), world),
        lambda: orders.lock("production", account(BOB), "x", (), world),
        lambda: orders.unlock("production", account(OWN), held, world),
        lambda: orders.unlock("production", account(REL), held, world),
        lambda: orders.unlock("production", account(BOB), held, world),
        lambda: orders.unlock("staging", account(BOB), held, world),
        lambda: orders.revoke("sha256:" + "a" * 64, account(REL), "poisoned", (), world),
        lambda: orders.revoke("sha256:" + "a" * 64, account(BOB), "poisoned", (), world),
        lambda: orders.revoke(DIGEST, account(REL), "poisoned", (live(1),), world),
        lambda: orders.revoke("sha256:" + "a" * 64, account(REL), "again", (), case(revoked=("sha256:" + "a" * 64,))),
        lambda: orders.break_glass_used(used),
        lambda: orders.break_glass_used(world),
        lambda: orders.review_break_glass("B-x", account(VAL), "fine", reviewing),
        lambda: orders.review_break_glass("B-x", account(OWN), "fine", reviewing),
        lambda: orders.review_break_glass("B-x", account(BOB), "fine", reviewing),
        lambda: orders.review_break_glass("B-y", account(VAL), "fine", reviewing),
    ]


def test_a_request_for_break_glass_is_answered_with_what_a_second_person_writes() -> None:
    said = orders.open_break_glass("c77", account(REL), "production", "outage", case(**MERGED))
    name = request_id(7, "c77")
    assert said == (
        f"{name} asks to promote past the policy. It needs 2 people in all, within 15m. "
        f"Who can confirm (own) writes: `/break-glass confirm {name}`"
    )


NO_GLASS = Case(facts(**MERGED), p1(commands=ORDERS), NOW)  # type: ignore[arg-type]
NEVER = [
    (REL, "staging", "outage", "command_not_allowed", "there is no break-glass for staging\n\nIt is for production."),
    (
        REL,
        "nowhere",
        "outage",
        "unknown_environment",
        "there is no environment nowhere\n\nKnown: staging and production.",
    ),
    (REL, "production", "  ", "reason_missing", "break-glass needs a reason\n\nAdd --reason and why."),
    (ANN, "production", "outage", "contributor_approval", "ann cannot ask for it here\n\nWho can ask: rel and own."),
    (BOB, "production", "outage", "contributor_approval", "bob cannot ask for it here\n\nWho can ask: rel and own."),
]


@pytest.mark.parametrize(
    ("who", "environment", "reason", "code", "said"), NEVER, ids=[f"{one[0]}-{one[1]}" for one in NEVER]
)
def test_a_request_that_could_never_count_is_refused_at_once(
    who: int, environment: str, reason: str, code: str, said: str
) -> None:
    with pytest.raises(UserError) as caught:
        orders.open_break_glass("c77", account(who), environment, reason, case(**MERGED))
    assert (caught.value.code, str(caught.value)) == (code, said)


def test_without_break_glass_in_the_policy_there_is_none_to_ask_for() -> None:
    with pytest.raises(UserError, match="no break-glass for production") as caught:
        orders.open_break_glass("c77", account(REL), "production", "outage", NO_GLASS)
    assert caught.value.hint == "policies/environments.yaml has no break_glass."


def test_a_builder_who_holds_the_role_cannot_ask_either() -> None:
    found = case(pr={**MERGED["pr"], "author": account(REL)})
    with pytest.raises(UserError, match="rel cannot ask for it here"):
        orders.open_break_glass("c77", account(REL), "production", "outage", found)
