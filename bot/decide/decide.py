"""Facts, policies and the time -> a Decision. Pure: the same three give the same verdict for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.decide.case import Case
from bot.decide.combine import worst
from bot.decide.merge import Part, judge_merge
from bot.decide.promotion import judge_promotion
from bot.decide.reasons import REASONS, node
from bot.decide.tampering import alerts
from bot.decide.tiers import highest_tier, tier_of
from bot.decide.unblock import unblock
from bot.decide.wording import listed
from bot.records.decision import Decision, ModelVerdict, Node, Unblock
from bot.records.facts import Facts
from bot.records.release import Approver
from bot.specs.policies import Policies

JUDGE = 2  # one more whenever the same facts may be judged otherwise; docs/policies.md says what changed


def decide(facts: Facts, policies: Policies, now: datetime) -> Decision:
    """The verdict on `facts.subject`: `merge`, or the name of an environment. `now` is aware."""
    if now.tzinfo is None:
        raise ValueError("`now` needs a time zone")
    case = Case(facts, policies, now)
    if facts.subject == "merge":
        merge = judge_merge(case)
        return _decision(case, merge.tree, merge.parts, merge.shared, merge.parts)
    environment = policies.environments.environments.get(facts.subject)
    if environment is None:
        sentence = f"policies/environments.yaml has no environment {facts.subject}."
        return _decision(case, node(facts.subject, "error", "unknown_environment", sentence), (), (), ())
    promotion = judge_promotion(environment, case)
    own = {part.node for part in promotion.parts}
    shared = [child for child in promotion.tree.children if child not in own]
    return _decision(case, promotion.tree, promotion.parts, shared, promotion.gate, promotion.flags)


def refuse(facts: Facts, code: str, mistakes: Sequence[str], now: datetime) -> Decision:
    """A Decision when judging is impossible, because of these mistakes (sentences with a place). It blocks."""
    leaves = [node(f"mistake {number}", "error", code, one) for number, one in enumerate(mistakes, 1)]
    tree = node(facts.subject, "error", code, f"{REASONS[code]} {mistakes[0]}", children=leaves)
    return Decision(
        subject=facts.subject,
        number=facts.pull_request.number,
        head_sha=facts.pull_request.head_sha,
        status="error",
        reason_code=code,
        headline=f"Cannot be judged: {tree.sentence}",
        risk_tier="unknown",
        tree=tree,
        models=(),
        unblock=tuple(
            Unblock(who=("whoever may change policies/",), action=f"mend {one}", command=None) for one in mistakes
        ),
        facts_digest=facts.digest(),
        policy_digest="",
        decided_at=_stamp(now),
        judge=JUDGE,
    )


def _decision(
    case: Case,
    tree: Node,
    parts: Sequence[Part],
    shared: Sequence[Node],
    gate: Sequence[Part],
    flags: tuple[str, ...] = (),
) -> Decision:
    facts = case.facts
    evaluation = case.head.evaluation_id if case.head and facts.models else None
    missing = unblock(tree, gate, case, evaluation)
    return Decision(
        subject=facts.subject,
        number=facts.pull_request.number,
        head_sha=facts.pull_request.head_sha,
        status=tree.status,
        reason_code=tree.reason_code,
        headline=_headline(case, tree, missing),
        risk_tier=highest_tier(case),
        tree=tree,
        models=tuple(_model(part, shared, case) for part in parts if part.scope.model is not None),
        unblock=missing,
        facts_digest=facts.digest(),
        policy_digest=case.policies.digest,
        decided_at=_stamp(case.now),
        evaluation_id=evaluation,
        flags=flags,
        alerts=alerts(case),
        judge=JUDGE,
    )


def _model(part: Part, shared: Sequence[Node], case: Case) -> ModelVerdict:
    model = part.scope.model
    assert model is not None
    people = {
        (opinion.actor, role): Approver(id=opinion.actor, login=case.login(opinion.actor), role=role)
        for opinion, role in part.approvals
    }
    return ModelVerdict(
        model=model.model,
        status=worst([part.node.status, *(one.status for one in shared)]),
        inputs_digest=model.inputs_digest,
        evaluation_digest=model.evaluation_digest,
        artifact_digest=model.artifact_digest,
        approvals=tuple(sorted({opinion.id for opinion, _ in part.approvals})),
        risk_tier=tier_of(part.scope, case),
        approved_by=tuple(people[key] for key in sorted(people)),
    )


def _headline(case: Case, tree: Node, missing: Sequence[Unblock]) -> str:
    subject = case.facts.subject
    if tree.status == "approved":
        asked = "Rollback" if case.facts.asked.action == "rollback" else "Promotion"
        return "Approved: may be merged." if subject == "merge" else f"{asked} approved for {subject}."
    if tree.status == "pending" and missing and all(one.command for one in missing):
        return f"Waiting for {listed(f'{listed(one.who)} ({one.action})' for one in missing)}."
    word = {
        "pending": "Waiting",
        "rejected": "Rejected",
        "error": "Cannot be judged",
        "not_applicable": "Nothing to do",
    }
    return f"{word[tree.status]}: {tree.sentence}"


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
