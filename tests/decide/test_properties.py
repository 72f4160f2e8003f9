"""What no sequence of opinions, pushes and people can do."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.decide.case import Case
from bot.decide.reasons import REASONS
from bot.decide.simulate import as_if
from bot.records.decision import Decision, Node
from bot.records.facts import Delegation, Facts, Opinion
from bot.specs.policies import Policies
from bot.specs.policies.approvals import DelegationRule
from tests.decide.policies import P
from tests.decide.test_loans import recorded
from tests.decide.world import (
    ANN,
    BOB,
    H2,
    NOW,
    OWN,
    REL,
    REV,
    REV2,
    VAL,
    H,
    actor,
    at,
    codes,
    command,
    commit,
    facts,
    head,
    judge,
    model,
    p1,
    pull_request,
    review,
)

PEOPLE = (ANN, REV, REV2, OWN, VAL, REL, BOB)
POLICIES = ("P1", "two reviewers", "owner and validator", "two hats across", "two hats within", "matching", "either")
FEW = settings(max_examples=60, deadline=None)

kinds = st.sampled_from(["approve", "approve", "approve", "withdraw", "reject", "hold", "unhold"])
targets = st.sampled_from([None, "E", H, H2, "E-" + "a" * 16, H[:10]])


@st.composite
def opinions(draw: Any) -> Opinion:
    who = draw(st.sampled_from(PEOPLE))
    ago = draw(st.integers(0, 100))
    kind = draw(kinds)
    if kind not in ("hold", "unhold") and draw(st.booleans()):
        return review(who, kind, sha=draw(st.sampled_from([H, H2])), ago=ago)
    changes = {"edited": draw(st.booleans()), "reason": draw(st.sampled_from(["", "why"]))}
    return command(who, kind, target=draw(targets), ago=ago, **changes)


many = st.lists(opinions(), max_size=8, unique_by=lambda one: one.id)  # an id is that of one review or command


@st.composite
def worlds(draw: Any) -> Facts:
    """Facts with any opinions, at the first head or after a push that changed something or nothing."""
    said = tuple(draw(many))
    version = draw(st.sampled_from([0, 1, 2]))
    if version == 0:
        return facts(*said)
    now = model(version=version)
    return facts(
        *said,
        pr={"head_sha": H2},
        heads=(head(H), head(H2, now)),
        commits=(commit(), commit(H2)),
        models=(now,),
    )


@FEW
@given(worlds(), st.sampled_from(POLICIES), st.randoms(use_true_random=False))
def test_the_order_in_which_events_arrive_never_changes_a_verdict(
    found: Facts, policy: str, shuffle: random.Random
) -> None:
    said, people, heads = list(found.opinions), list(found.actors), list(found.heads)
    for one in (said, people, heads):
        shuffle.shuffle(one)
    other = found.model_copy(update={"opinions": tuple(said), "actors": tuple(people), "heads": tuple(heads)})
    one, two = judge(found, P[policy]), judge(other, P[policy])
    assert (one.status, one.tree, one.models, one.unblock) == (two.status, two.tree, two.models, two.unblock)


@FEW
@given(worlds(), st.sampled_from(POLICIES), st.sampled_from(PEOPLE))
def test_one_more_approval_never_takes_a_verdict_back(found: Facts, policy: str, who: int) -> None:
    sha = found.pull_request.head_sha
    enough = tuple(review(one, sha=sha, ago=-1) for one in (REV, REV2, OWN, VAL, BOB))
    lifted = tuple(command(one, "unhold", ago=-1) for one in PEOPLE)
    found = found.model_copy(update={"opinions": (*found.opinions, *enough, *lifted)})
    before = judge(found, P[policy])
    assert before.status == "approved"
    more = review(who, sha=sha, ago=-2)
    after = judge(found.model_copy(update={"opinions": (*found.opinions, more)}), P[policy])
    assert after.status == "approved" or "sod_violation" in codes(after.tree)


REMOVALS = st.sampled_from(
    [
        {"heads": ()},
        {"actors": ()},
        {"commits": ()},
        {"planned": False},
        {"unknown": ("commits",)},
        {"checks": None},
        {"opinions": ()},
        {"pull_request": pull_request(head_sha=H, last_pusher=None)},
        {"pull_request": pull_request(head_sha=H2, last_pusher=None)},
        {"models": (model(evaluation_digest=None, artifact_digest=None, evaluated_inputs_digest=None, gates=()),)},
    ]
)


@FEW
@given(worlds(), st.sampled_from(POLICIES), REMOVALS)
def test_facts_that_go_missing_never_approve(found: Facts, policy: str, removal: dict[str, Any]) -> None:
    before = judge(found, P[policy])
    if "opinions" in removal:  # an objection is an opinion too
        assume(not {"vetoed", "held"} & codes(before.tree))
    elif "actors" in removal:
        assume(before.status != "rejected")
    after = judge(found.model_copy(update=removal), P[policy])
    assert not (after.status == "approved" and before.status != "approved")
    if "models" not in removal and "checks" not in removal:
        assert after.status != "approved"


@FEW
@given(st.lists(opinions(), max_size=8), st.sampled_from(POLICIES))
def test_an_approval_of_one_digest_never_approves_another(said: list[Opinion], policy: str) -> None:
    """All opinions were given for H; the live head H2 would deploy something else."""
    old = [one for one in said if one.commit_sha == H or one.target in (H, head().evaluation_id)]
    now = model(version="other")
    found = facts(
        *old,
        pr={"head_sha": H2},
        heads=(head(H), head(H2, now)),
        commits=(commit(), commit(H2)),
        models=(now,),
    )
    decision = judge(found, P[policy])
    assert decision.status != "approved"
    assert decision.models[0].approvals == ()


@settings(max_examples=150, deadline=None)
@given(worlds(), st.sampled_from(POLICIES), st.sampled_from(PEOPLE), st.booleans())
def test_taking_power_from_somebody_never_turns_red_to_green(found: Facts, policy: str, who: int, lent: bool) -> None:
    """Of what the bot has seen: whoever may not any more approves nothing, and still objects."""
    if lent:
        loan = Delegation(
            id="1", delegator=OWN, delegate=REV2, role="owners", reason="away",
            since=at(60 * 24), until=at(-60),
        )  # fmt: skip
        found = found.model_copy(update={"delegations": (loan,)})
    rules = lending(policy)
    known = recorded(found, rules)
    weaker = [one.model_copy(update={"permission": "none"}) if one.account.id == who else one for one in known.actors]
    roles = {  # a role that names nobody would be everybody's
        name: role.model_copy(
            update={"users": tuple("nobody#999" if one.endswith(f"#{who}") else one for one in role.users)}
        )
        for name, role in rules.roles.roles.items()
    }
    fewer = replace(rules, roles=rules.roles.model_copy(update={"roles": roles}))
    before = judge(known, rules)
    assume(before.status != "approved")
    for after in (
        judge(known.model_copy(update={"actors": tuple(weaker)}), rules),
        judge(known, fewer),
        judge(known.model_copy(update={"delegations": ()}), rules),
    ):
        assert after.status != "approved"


def lending(policy: str) -> Policies:
    """The policy, with a role that can be lent."""
    rule = DelegationRule(roles=("owners",), max_duration="14d")
    return replace(P[policy], approvals=P[policy].approvals.model_copy(update={"delegation": rule}))


@FEW
@given(worlds(), st.sampled_from(POLICIES))
def test_every_node_has_a_listed_reason_and_a_sentence(found: Facts, policy: str) -> None:
    def walk(tree: Node) -> None:
        assert tree.reason_code in REASONS
        assert tree.sentence.strip()
        for child in tree.children:
            walk(child)

    walk(judge(found, P[policy]).tree)


@FEW
@given(worlds(), st.sampled_from(POLICIES))
def test_whoever_is_named_to_unblock_approvals_can(found: Facts, policy: str) -> None:
    """If only approvals are missing, those who are named turn the verdict green, and no one of them is too many."""
    before = judge(found, P[policy])
    wanted = [one for one in before.unblock if one.action.startswith("approve as")]
    assume(before.status == "pending" and wanted and len(wanted) == len(before.unblock))
    logins = [one.who[0] for one in wanted]
    assert judge(as_if(found, P[policy], NOW, approve=logins), P[policy]).status == "approved"
    for login in logins:
        fewer = [one for one in logins if one != login]
        assert judge(as_if(found, P[policy], NOW, approve=fewer), P[policy]).status != "approved"


@FEW
@given(worlds(), st.sampled_from(POLICIES))
def test_a_decision_replays_from_its_json(found: Facts, policy: str) -> None:
    decision = judge(found, P[policy])
    again = judge(Facts.parse(found.canonical(), source="facts"), P[policy])
    assert again.digest() == decision.digest()
    assert Decision.parse(decision.canonical(), source="decision") == decision


@FEW
@given(worlds(), st.sampled_from(POLICIES))
def test_nobody_who_built_it_is_counted(found: Facts, policy: str) -> None:
    decision = judge(found, P[policy])
    assert not {one.id for verdict in decision.models for one in verdict.approved_by} & {ANN}


def test_people_of_whom_nothing_is_said_hold_nothing_for_certain() -> None:
    case = Case(facts(actors=(actor(REV),)), p1(), NOW)
    assert case.holding(BOB).held == frozenset()
    assert case.holding(BOB).unknown == frozenset(p1().roles.roles)
