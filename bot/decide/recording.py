"""Facts -> the opinions that are to be kept as first seen."""

from __future__ import annotations

from bot.decide.binding import stood_for
from bot.decide.case import Case, moment
from bot.decide.powers import powers_of
from bot.decide.vetoes import stands
from bot.records.approval import Approval
from bot.records.event import Account
from bot.records.facts import Facts, Opinion
from bot.records.ledger import Evaluated, approval_path
from bot.specs.policies import Policies

KEPT = frozenset(("approve", "withdraw", "reject", "hold", "unhold", "break_glass", "break_glass_confirm"))


def approval_files(facts: Facts, policies: Policies) -> dict[str, bytes]:
    """Ledger path -> bytes for each opinion of somebody who holds a role, not yet recorded, in its unedited state.

    The role is held, or was lent when it was said. Objections count in any state, and are kept in any.
    """
    actors = {actor.account.id: actor for actor in facts.actors}
    files = {}
    for one in facts.opinions:
        actor = actors.get(one.actor)
        is_posted = not (one.edited or one.tampered) or one.kind in ("hold", "reject")
        if one.kind not in KEPT or one.recorded is not None or not is_posted or actor is None:
            continue
        then = Case(facts, policies, moment(one.created_at))
        roles = tuple(sorted({power.role for power in powers_of(one.actor, then)}))
        # that somebody held no role is worth keeping only where a role at the time of approval is asked for
        if roles or one.kind == "hold" or (one.kind == "approve" and _asks_then(policies)):
            path = approval_path(facts.pull_request.number, one.id)
            files[path] = _approval(one, actor.account, roles, then).canonical()
    return files


def _asks_then(policies: Policies) -> bool:
    return any(rule.require.role_check == "at_approval_and_evaluation" for rule in policies.approvals.rules)


def _approval(one: Opinion, account: Account, roles: tuple[str, ...], then: Case) -> Approval:
    facts = then.facts
    head = _head_of(one, facts)
    return Approval(
        id=one.id,
        number=facts.pull_request.number,
        kind=one.kind,
        method=one.method,
        actor=account,
        roles=roles,
        head_sha=head or "",
        target=one.target,
        selectors=one.models,
        models=_models_of(one, head, facts),
        environment=one.environment,
        reason=one.reason,
        body_sha256=one.body_sha256,
        policy_digest=then.policies.digest,
        created_at=moment(one.created_at).isoformat().replace("+00:00", "Z"),
        stood=stands(one, then),
    )


def _head_of(one: Opinion, facts: Facts) -> str | None:
    if one.method == "review":
        return one.commit_sha
    if one.target and one.target.startswith("E-"):
        named = [head.head_sha for head in facts.heads if head.evaluation_id == one.target]
        return named[0] if named else None
    return one.target or one.seen_head


def _models_of(one: Opinion, head: str | None, facts: Facts) -> dict[str, Evaluated]:
    return next((stood_for(one, fact) for fact in facts.heads if fact.head_sha == head), {})
