"""What mutation testing found unguarded: conditions inside conditions, order of tiers, lines of one rule, what-if."""

from __future__ import annotations

import pytest

from bot.decide.break_glass import request_id
from bot.decide.case import Case, Scope
from bot.decide.predicates import holds
from bot.decide.simulate import as_if
from bot.decide.tiers import highest_tier
from bot.errors import UserError
from bot.records.facts import Check, Delegation
from bot.specs.policies.conditions import When
from tests.decide.policies import P, require
from tests.decide.test_promotion import BUNDLE, GLASS, REQUEST, confirm, live, verdict, wanted
from tests.decide.world import (
    APPROVALS,
    BOB,
    ENVIRONMENTS,
    NOW,
    OWN,
    REL,
    REV,
    REV2,
    codes,
    command,
    facts,
    judge,
    model,
    p1,
    review,
)

YES, NO = {"from_fork": False}, {"from_fork": True}
CONDITIONS: list[tuple[dict[str, object], bool]] = [
    ({"any_of": (YES, NO)}, True),
    ({"any_of": (NO, NO)}, False),
    ({"all_of": (YES, YES)}, True),
    ({"all_of": (YES, NO)}, False),
    ({"none_of": (NO, NO)}, True),
    ({"none_of": (NO, YES)}, False),
    ({"from_fork": False, "none_of": (YES,)}, False),
    ({"any_of": ({"all_of": (YES, {"none_of": (NO,)})},)}, True),
    ({"models": ("ch*",)}, True),
    ({"models": ("taxi",)}, False),
    ({"models_changed": True}, True),
    ({"models_changed": False}, False),
    ({"declared_tier": ("high",)}, True),
    ({"declared_tier": ("low",)}, False),
    ({"base_branches": ("main",)}, True),
    ({"base_branches": ("rel/**",)}, False),
    ({"author_roles": ("reviewers",)}, False),
    ({"risk_tier": ("low",)}, True),
]


@pytest.mark.parametrize(("when", "expected"), CONDITIONS, ids=[str(one[0]) for one in CONDITIONS])
def test_conditions(when: dict[str, object], expected: bool) -> None:
    fact = model(risk_tier="high")
    case = Case(facts(models=(fact,)), p1(), NOW)
    assert holds(When.model_validate(when), Scope(fact), case) is expected


def test_the_rest_of_a_change_is_no_model() -> None:
    case = Case(facts(models=()), p1(), NOW)
    for when in ({"models": ("**",)}, {"models_changed": True}, {"declared_tier": ("high",)}):
        assert holds(When.model_validate(when), Scope(None), case) is False
    assert holds(When.model_validate({"models_changed": False}), Scope(None), case) is True


def test_the_highest_tier_is_the_first_of_the_list_and_not_of_the_alphabet() -> None:
    tiers = '  - {name: severe, match: {models: ["churn"]}}\n  - {name: low, match: {always: true}}'
    policies = p1(approvals=APPROVALS.replace("  - {name: low, match: {always: true}}", tiers))
    assert highest_tier(Case(facts(models=(model(), model("taxi"))), policies, NOW)) == "severe"


def test_one_person_may_fill_two_lines_where_the_rule_says_so() -> None:
    lines = "approvals: [{role: reviewers, count: 1}, {roles: [reviewers, owners], count: 1}]"
    together = p1(approvals=require("{distinct_approvers: false, " + lines + "}"))
    apart = p1(approvals=require("{" + lines + "}"))
    assert judge(facts(review(REV)), together).status == "approved"
    assert judge(facts(review(REV)), apart).status == "pending"
    assert judge(facts(review(REV), review(OWN)), apart).status == "approved"


@pytest.mark.parametrize("mark", [{"edited": True}, {"tampered": True}, {"voided": "closed"}])
def test_break_glass_by_a_touched_comment_is_none(mark: dict[str, object]) -> None:
    touched = REQUEST.model_copy(update=mark)
    assert request_id(7, touched.id) == request_id(7, REQUEST.id)
    found = wanted(touched, confirm(OWN), environments=(live(1),))
    assert verdict(found, BUNDLE).status == "pending"


def test_a_good_break_glass_request_is_not_hidden_by_a_bad_one() -> None:
    bad = REQUEST.model_copy(update={"id": "c1", "reason": " "})
    later = REQUEST.model_copy(update={"id": "c999999", "reason": " "})
    for other in (bad, later):
        assert verdict(wanted(other, REQUEST, confirm(OWN), environments=(live(1),)), BUNDLE).status == "approved"


def test_what_if() -> None:
    found = facts(review(REV), review(REV2))
    two = P["two reviewers"]
    assert judge(as_if(found, two, NOW, without=["@REV"]), two).status == "pending"
    assert judge(as_if(found, two, NOW, reject=["rev2"]), two).status == "rejected"
    assert judge(as_if(facts(actors=()), two, NOW, approve=["rev", "@rev2"]), two).status == "approved"
    with pytest.raises(UserError, match="nobody knows @eve"):
        as_if(found, two, NOW, approve=["@eve"])


APART = "separation_of_duties: [{name: four-eyes, distinct: [approver, promoter]}]\n"
ASKS = ENVIRONMENTS.replace(
    "    promoters: [releasers]",
    "    promoters: [releasers, owners]\n    approvals: [{roles: [releasers, owners], count: 1}]",
)
LENDING = "delegation: {roles: [releasers], max_duration: 14d}\n"


@pytest.mark.parametrize(("by", "status"), [(REL, "pending"), (OWN, "approved")])
def test_who_approved_for_the_environment_does_not_promote_either(by: int, status: str) -> None:
    given = command(REL, target="E", environment="production", id="c1")
    decision = verdict(wanted(given, by=by), ASKS, APPROVALS + APART)
    assert decision.status == status and ("sod_violation" in codes(decision.tree)) is (status == "pending")


def test_who_lent_the_role_of_an_approval_for_the_environment_does_not_either() -> None:
    lent = Delegation(
        id="1", delegator=REL, delegate=BOB, role="releasers", reason="away",
        since="2026-03-01T00:00:00Z", until="2026-03-08T00:00:00Z",
    )  # fmt: skip
    given = command(BOB, target="E", environment="production", id="c1")
    found = wanted(given, by=REL, delegations=(lent,))
    decision = verdict(found, ASKS, APPROVALS + APART + LENDING)
    assert decision.status == "pending" and "sod_violation" in codes(decision.tree)
    assert verdict(wanted(given, by=OWN, delegations=(lent,)), ASKS, APPROVALS + APART + LENDING).status == "approved"


def test_a_promotion_that_needs_no_break_glass_does_not_wait_for_a_request_of_it() -> None:
    glass = ENVIRONMENTS + GLASS
    assert verdict(wanted(REQUEST), glass).status == "approved"
    soaking = verdict(wanted(REQUEST, environments=(live(1),)), BUNDLE)
    assert soaking.status == "pending" and "break_glass_unconfirmed" in codes(soaking.tree)


@pytest.mark.parametrize(("event", "status"), [("pull_request_target", "approved"), ("push", "pending")])
def test_a_check_counts_by_the_event_that_started_it(event: str, status: str) -> None:
    rule = "{checks: [{name: unit, app_id: 15368, events: [pull_request_target]}]}"
    check = Check(name="unit", app_id=15368, workflow="ci.yml", ref=None, event=event, conclusion="success")
    assert judge(facts(review(REV), checks=(check,)), p1(approvals=require(rule))).status == status
