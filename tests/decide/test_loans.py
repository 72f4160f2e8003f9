"""What a lent role lets its borrower do, and that lender and borrower stay one voice; what outlives a role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.decide import orders
from bot.decide.allowed import command_node
from bot.decide.break_glass import request_id
from bot.decide.case import Case
from bot.decide.quorum import Place, seating
from bot.decide.reading import with_records
from bot.decide.recording import approval_files
from bot.errors import UserError
from bot.records.approval import Approval
from bot.records.facts import Asked, BreakGlassUse, Delegation, Facts, Opinion
from bot.specs.policies import Policies
from tests.decide.policies import TEAM_ROLES, require
from tests.decide.test_promotion import FOUR_EYES, GLASS, live, production
from tests.decide.world import (
    APPROVALS,
    BOB,
    COMMANDS,
    ENVIRONMENTS,
    LOGINS,
    NOW,
    OWN,
    REL,
    REV,
    REV2,
    VAL,
    account,
    actor,
    at,
    codes,
    command,
    commit,
    facts,
    judge,
    p1,
    review,
)

LENDING = "delegation: {roles: [reviewers, owners, releasers], max_duration: 14d}\n"
RULES = COMMANDS + "  lock: {roles: [releasers]}\n  break-glass: {roles: [releasers]}\n  delegate: {permission: read}\n"
RULES = RULES.replace("hold: {permission: write}", "hold: {roles: [owners]}")
LENT = p1(approvals=APPROVALS + LENDING, commands=RULES, environments=ENVIRONMENTS + GLASS)
MERGED = {"merged": True, "state": "closed"}


def loan(lender: int, role: str, borrower: int = BOB, since: float = 60 * 24, until: float = -60 * 24) -> Delegation:
    return Delegation(
        id=f"{lender}-{borrower}-{role}", delegator=lender, delegate=borrower, role=role, reason="away",
        since=at(since), until=at(until),
    )  # fmt: skip


def asked(*said: Opinion, by: int = BOB, action: Any = "promote", **changes: Any) -> Facts:
    """Production is asked for, by bob."""
    places = (live(1), live(name="production"))
    wanted = Asked(action=action, by=by, reason="why", models=("churn",))
    return facts(review(REV), *said, subject="production", pr=MERGED, asked=wanted, environments=places, **changes)


COVERED = [
    ("approves", facts(review(BOB)), (REV, "reviewers"), "approved"),
    ("rejects", facts(review(REV2), command(BOB, "reject", ago=5)), (REV, "reviewers"), "rejected"),
    ("requests changes", facts(review(REV2), review(BOB, "reject", ago=5)), (REV, "reviewers"), "rejected"),
    ("holds", facts(review(REV2), command(BOB, "hold", ago=5)), (OWN, "owners"), "rejected"),
    ("lifts a hold", facts(review(REV2), command(OWN, "hold", ago=9), command(BOB, "unhold", ago=5, reason="done")),
     (REL, "releasers"), "approved"),
    ("promotes", asked(), (REL, "releasers"), "approved"),
    ("rolls back", asked(action="rollback"), (REL, "releasers"), "approved"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "found", "lent", "status"), COVERED, ids=[one[0] for one in COVERED])
def test_who_borrows_a_role_may_what_the_role_may(name: str, found: Facts, lent: tuple[int, str], status: str) -> None:
    borrowed = found.model_copy(update={"delegations": (loan(*lent),)})
    assert judge(borrowed, LENT).status == status
    over = found.model_copy(update={"delegations": (loan(*lent, until=1),)})
    assert judge(over, LENT).status != status


def test_commands_and_orders_take_a_lent_role_and_it_is_never_lent_on() -> None:
    case = Case(facts(delegations=(loan(REL, "releasers"),), pr=MERGED), LENT, NOW)
    assert command_node("lock", BOB, case).status == "approved"
    assert orders.open_break_glass("c1", account(BOB), "production", "outage", case).startswith("B-")
    with pytest.raises(UserError, match="does not hold releasers"):
        orders.delegate("c2", account(BOB), account(VAL), "releasers", "1d", "away", case)


NOT_LENT = [
    ("of a builder lifts no hold on what was built",
     facts(review(REV2), command(OWN, "hold", ago=9), command(BOB, "unhold", ago=5, reason="done"),
           commits=(commit(author=REL),)), "rejected", "held"),
    ("makes nobody's author another author", facts(review(REV2), pr={"author": account(BOB)}), "pending", None),
]  # fmt: skip
AUTHORS = APPROVALS.replace(
    "vetoes:",
    "  - name: trusted\n    when: {none_of: [{author_roles: [releasers]}]}\n"
    "    require: {approvals: [{role: reviewers, count: 2}]}\nvetoes:",
    1,
).replace("all_of: [reviewed]", "all_of: [reviewed, trusted]")


@pytest.mark.parametrize(("name", "found", "status", "code"), NOT_LENT, ids=[one[0] for one in NOT_LENT])
def test_what_is_not_lent(name: str, found: Facts, status: str, code: str | None) -> None:
    rules = p1(approvals=(AUTHORS if code is None else APPROVALS) + LENDING)
    decision = judge(found.model_copy(update={"delegations": (loan(REL, "releasers"),)}), rules)
    assert decision.status == status and (code is None or code in codes(decision.tree))


def test_a_rule_that_depends_on_a_role_of_the_author_that_nobody_knows_cannot_be_judged() -> None:
    teams = TEAM_ROLES.replace("releasers: {users: [rel#41]", "releasers: {teams: [acme/releasers]")
    rules = p1(approvals=AUTHORS, roles=teams)
    unknown = actor(BOB, unknown_teams=("acme/releasers",))
    found = facts(review(REV, id="r1"), pr={"author": account(BOB)})
    for who, status in ((unknown, "error"), (actor(BOB, teams=("acme/releasers",)), "approved")):
        people = (who, actor(REV, teams=("acme/reviewers",)))
        assert judge(found.model_copy(update={"actors": people}), rules).status == status


def test_whether_a_lender_holds_the_role_may_be_unknown() -> None:
    people = tuple(actor(one) for one in LOGINS if one != REV)
    found = facts(review(REV2), command(BOB, "reject", ago=5), delegations=(loan(REV, "reviewers"),), actors=people)
    decision = judge(found, LENT)
    assert decision.status == "error" and "role_unknown" in codes(decision.tree)


# --- one voice


def test_who_lends_and_who_borrows_break_no_glass_together() -> None:
    """rel and bob in rel's name are one; with own of the owners they are two."""
    request = command(REL, "break_glass", environment="production", ago=10, reason="outage")
    name = request_id(7, request.id)
    bob, own = (command(who, "break_glass_confirm", target=None, request=name, ago=5) for who in (BOB, OWN))
    soaking = p1(
        approvals=APPROVALS + LENDING,
        environments=production("\n    soak_time: 24h") + GLASS,
    )
    lent: dict[str, Any] = {"by": REL, "delegations": (loan(REL, "releasers"),)}
    assert judge(asked(request, bob, **lent), soaking).status == "pending"
    assert judge(asked(request, own, **lent), soaking).status == "approved"


def test_who_lent_the_role_of_somebody_who_broke_glass_does_not_review_it() -> None:
    use = BreakGlassUse(id="B-x", environment="production", at=at(9), review_due=at(-9), reviewed=False, people=(REL,))
    case = Case(facts(break_glass=(use,), delegations=(loan(REL, "owners"), loan(REL, "releasers"))), LENT, NOW)
    with pytest.raises(UserError, match="cannot review"):
        orders.review_break_glass("B-x", account(BOB), "fine", case)


def test_a_promoter_in_the_name_of_an_approver_is_no_second_pair_of_eyes() -> None:
    rules = p1(
        approvals=require("{approvals: [{role: releasers, count: 1}]}") + LENDING + FOUR_EYES, environments=ENVIRONMENTS
    )
    found = asked(review(REL, ago=30), delegations=(loan(REL, "releasers"),))
    decision = judge(found, rules)
    assert decision.status == "pending" and "sod_violation" in codes(decision.tree)


TWO = p1(
    approvals=require(
        "{approvals: [{role: reviewers, count: 1}, {role: owners, count: 1, not_contributor_within: 90d}]}"
    )
    + LENDING
)
SEATS: list[tuple[str, tuple[Opinion, ...], tuple[Delegation, ...], str]] = [
    ("the lower id cannot use the loan, the other can", (review(REV2), review(BOB), review(VAL)),
     (loan(OWN, "owners", VAL), loan(OWN, "owners", BOB)), "approved"),
    ("the lender approved too, for another place", (review(REV), review(BOB)),
     (loan(REV, "reviewers", BOB),), "pending"),
    ("two places, two lenders, one borrower of both", (review(BOB), review(VAL)),
     (loan(REV, "reviewers", BOB), loan(OWN, "owners", BOB), loan(OWN, "owners", VAL)), "approved"),
    ("one lender of both", (review(BOB), review(VAL)),
     (loan(OWN, "owners", BOB), loan(OWN, "owners", VAL)), "pending"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "said", "loans", "status"), SEATS, ids=[one[0] for one in SEATS])
def test_a_seating_is_found_if_there_is_one(
    name: str, said: tuple[Opinion, ...], loans: tuple[Delegation, ...], status: str
) -> None:
    assert judge(facts(*said, delegations=loans), TWO).status == status


def test_the_other_borrower_does_where_the_first_built_the_model_lately() -> None:
    from bot.records.facts import Contribution

    lately = Contribution(actor=VAL, model="churn", at=at(60 * 24))
    loans = (loan(OWN, "owners", VAL), loan(OWN, "owners", BOB))
    found = facts(review(REV2), review(VAL), review(BOB), delegations=loans, contributions=(lately,))
    assert judge(found, TWO).status == "approved"
    fewer = facts(review(REV2), review(VAL), delegations=loans, contributions=(lately,))
    assert judge(fewer, TWO).status == "pending"


def most(places: Sequence[Place], able: dict[tuple[int, Place], frozenset[int | None]], people: Sequence[int]) -> int:
    """By trying everything: how many places can be filled."""

    def fill(index: int, used: frozenset[int]) -> int:
        if index == len(places):
            return 0
        found = fill(index + 1, used)
        for person in people:
            for name in able[person, places[index]]:
                taken = {person} if name is None else {person, name}
                if not taken & used:
                    found = max(found, 1 + fill(index + 1, used | taken))
        return found

    return fill(0, frozenset())


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_seating_fills_more(data: Any) -> None:
    people = list(range(1, data.draw(st.integers(1, 5)) + 1))
    places = [Place("rule", data.draw(st.integers(0, 1)), "group") for _ in range(data.draw(st.integers(1, 4)))]
    able: dict[tuple[int, Place], frozenset[int | None]] = {}
    for person in people:
        lenders = [None, *(one for one in (1, 2, 3, 8, 9) if one != person)]
        able |= {
            (person, place): frozenset(data.draw(st.sets(st.sampled_from(lenders), max_size=2))) for place in places
        }
    found = seating(places, people, lambda person, place: able[person, place])
    assert len(places) - len(found.empty) == most(places, able, people)


# --- what outlives a role


def recorded(found: Facts, policies: Policies) -> Facts:
    """After the bot has read it."""
    files = approval_files(found, policies).values()
    records = {one.id: one for one in (Approval.parse(data, source="approval") for data in files)}
    return found.model_copy(update={"opinions": tuple(with_records(found.opinions, records, {}))})


WEAK = {"actors": tuple(actor(one, permission="read") for one in LOGINS)}
OBJECTIONS = [
    ("a hold", command(OWN, "hold", ago=9), "held"),
    ("a rejection", command(VAL, "reject", ago=9), "vetoed"),
    ("a review", review(VAL, "reject", ago=9), "vetoed"),
]
VETOED = p1(approvals=APPROVALS.replace("changes_requested_by: [reviewers]", "changes_requested_by: [validators]"))


@pytest.mark.parametrize(("name", "objection", "code"), OBJECTIONS, ids=[one[0] for one in OBJECTIONS])
def test_an_objection_stays_when_its_maker_loses_the_role(name: str, objection: Opinion, code: str) -> None:
    said = recorded(facts(review(REV), objection), VETOED).opinions
    decision = judge(facts(*said, **WEAK), VETOED)
    assert decision.status == "rejected" and code in codes(decision.tree)
    kind = "unhold" if objection.kind == "hold" else "withdraw"
    back = command(objection.actor, kind, target=None, ago=5)
    assert judge(facts(*said, back, **WEAK), VETOED).status == "approved", "its maker takes it back all the same"
    lifted = command(REL, "unhold", target=None, ago=5, reason="the maker left")
    assert judge(facts(*said, lifted), VETOED).status == "approved", "so does a release role"
    again = objection.model_copy(update={"id": "c999", "created_at": at(3)})
    assert judge(facts(*said, again, **WEAK), VETOED).status == "rejected"


@pytest.mark.parametrize(("name", "objection", "code"), OBJECTIONS, ids=[one[0] for one in OBJECTIONS])
def test_an_objection_of_somebody_without_the_role_is_none(name: str, objection: Opinion, code: str) -> None:
    said = recorded(facts(review(REV), objection, **WEAK), VETOED).opinions
    assert judge(facts(*said, **WEAK), VETOED).status == "approved"


def test_an_objection_in_a_lent_role_outlives_the_loan() -> None:
    found = facts(review(REV2), command(BOB, "reject", ago=5), delegations=(loan(REV, "reviewers", until=1),))
    assert judge(found, LENT).status == "approved", "nobody saw it while the loan lasted, but it was given then"
    said = recorded(found, LENT).opinions
    assert judge(facts(*said), LENT).status == "rejected"


def test_a_lent_role_is_written_down_as_one_held_at_the_approval() -> None:
    both = require("{role_check: at_approval_and_evaluation, approvals: [{role: reviewers, count: 1}]}") + LENDING
    found = facts(review(BOB), delegations=(loan(REV, "reviewers"),))
    said = recorded(found, p1(approvals=both)).opinions
    assert said[0].recorded_roles == ("reviewers",)
    assert judge(facts(*said, delegations=found.delegations), p1(approvals=both)).status == "approved"
    assert judge(facts(*said), p1(approvals=both)).status == "pending"
