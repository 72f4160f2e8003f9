"""Commands that change who may do what, or stop an environment: what they write, or why they are refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.decide.allowed import command_node, may_use, who_may
from bot.decide.break_glass import builders, glass, request_id
from bot.decide.case import Case
from bot.decide.powers import electorate, lenders
from bot.decide.wording import listed
from bot.errors import UserError
from bot.records.base import Part, canonical_json
from bot.records.event import Account
from bot.records.facts import BreakGlassUse, Delegation, EnvironmentFact, Lock
from bot.records.ledger import (
    break_glass_path,
    break_glass_review_path,
    delegation_path,
    lock_path,
    revocation_path,
    undelegation_path,
)
from bot.records.release import Revocation
from bot.specs.policies.commands import Budget
from bot.specs.policies.words import seconds


@dataclass(frozen=True)
class Written:
    """Files for the ledger and for the environments branch (None removes), and a sentence for people."""

    sentence: str
    ledger: dict[str, bytes]
    environments: dict[str, bytes | None]


class Word(Part):
    """Who said it, when and why: the content of small facts of the ledger."""

    by: Account
    at: str
    reason: str
    number: int


def checked(verb: str, actor: int, case: Case) -> None:
    """Raises UserError when the person may not use the command here: who may, in which state of the pull request."""
    verdict = command_node(verb, actor, case)
    if verdict.status != "approved":
        raise UserError(verdict.sentence, hint=_who(verb, case), code=verdict.reason_code)


def within_budget(verb: str, budget: Budget, used: int, case: Case) -> None:
    """`used` counts what the person did with the command within a day. Raises UserError (code `budget_exceeded`)."""
    if used < budget.per_actor_per_day:
        return
    line = case.written(f"/{verb}")
    often = "once" if budget.per_actor_per_day == 1 else f"{budget.per_actor_per_day} times"
    raise UserError(
        f"{line} may be used {often} a day by one person, and that is used up",
        hint="Try again later, or ask somebody else; policies/commands.yaml says how much (`budget`).",
        code="budget_exceeded",
    )


def delegate(
    comment: str, actor: Account, delegate_to: Account, role: str, length: str, reason: str, case: Case
) -> Written:
    """Lend a role of one's own. `comment` is the opinion id of the command, `length` a duration such as `14d`."""
    checked("delegate", actor.id, case)
    rule = case.approvals.delegation
    if rule is None or role not in rule.roles:
        able = listed(rule.roles) if rule else "none"
        raise UserError(f"{role} cannot be lent", hint=f"Roles that can: {able}.", code="command_not_allowed")
    if role not in case.holding(actor.id).held:
        hint = "Only a role of your own can be lent, and never one that was lent to you."
        raise UserError(f"{actor.login} does not hold {role}", hint=hint, code="role_missing")
    if seconds(length) > seconds(rule.max_duration) or seconds(length) == 0:
        hint = case.written(f"/delegate @{delegate_to.login} role={role} for={rule.max_duration} --reason ...")
        raise UserError(f"for={length} is not within {rule.max_duration}", hint=hint, code="command_not_allowed")
    if not reason.strip() or delegate_to.id == actor.id or delegate_to.kind != "User":
        raise UserError("a role is lent to another person, with a reason", code="reason_missing")
    lent = Delegation(
        id=f"{case.facts.pull_request.number}-{comment}",
        delegator=actor.id,
        delegate=delegate_to.id,
        role=role,
        reason=reason,
        since=_stamp(case.now),
        until=_stamp(case.now + timedelta(seconds=seconds(length))),
        lender=actor,
    )
    sentence = f"{delegate_to.login} speaks as {role} for {actor.login} until {lent.until}."
    return Written(sentence, {delegation_path(lent.id): canonical_json(lent.model_dump(mode="json"))}, {})


def undelegate(actor: Account, delegate_to: Account, role: str | None, reason: str, case: Case) -> Written:
    """Take back what one lent or was lent; who may /undelegate takes back anybody's."""
    mine = [
        one
        for one in case.facts.delegations
        if one.delegate == delegate_to.id and role in (None, one.role) and not one.revoked
        if actor.id in (one.delegator, one.delegate) or may_use("undelegate", actor.id, case) is True
    ]
    if not mine:
        hint = f"Only the lender, the borrower and whoever may {case.written('/undelegate')} can end it."
        raise UserError(f"nothing is lent to {delegate_to.login} that you can end", hint=hint, code="role_missing")
    files = {undelegation_path(one.id): _word(actor, reason, case) for one in mine}
    return Written(f"{delegate_to.login} speaks as {listed(one.role for one in mine)} no more.", files, {})


def lock(environment: str, actor: Account, reason: str, held: Collection[EnvironmentFact], case: Case) -> Written:
    """Stop promotions to an environment. Refused when somebody else has."""
    checked("lock", actor.id, case)
    _known(environment, case)
    before = _lock_of(environment, held)
    if before is not None and before.holder.id != actor.id:
        sentence = f"{before.holder.login} has locked {environment}: {before.reason}"
        raise UserError(sentence, hint=_who("unlock", case), code="locked")
    if not reason.strip():
        hint = case.written(f"/lock {environment} --reason ...")
        raise UserError("a lock needs a reason", hint=hint, code="reason_missing")
    fact = Lock(holder=actor, reason=reason, since=_stamp(case.now))
    data = canonical_json(fact.model_dump(mode="json"))
    return Written(f"{environment} is locked by {actor.login}: {reason}", {}, {lock_path(environment): data})


def unlock(environment: str, actor: Account, held: Collection[EnvironmentFact], case: Case) -> Written:
    """By the holder, or by who may /unlock."""
    _known(environment, case)
    before = _lock_of(environment, held)
    if before is None:
        raise UserError(f"{environment} is not locked", code="not_needed")
    if before.holder.id != actor.id:
        checked("unlock", actor.id, case)
    return Written(f"{environment} is open again.", {}, {lock_path(environment): None})


def revoke(artifact_digest: str, actor: Account, reason: str, held: Collection[EnvironmentFact], case: Case) -> Written:
    """Forbid an artifact everywhere, for good. The sentence says where it is live at this moment."""
    checked("revoke", actor.id, case)
    if artifact_digest in case.facts.revoked:
        raise UserError(f"{artifact_digest} was revoked before", hint="There is nothing to do.", code="not_needed")
    number = case.facts.pull_request.number
    said = Revocation(artifact_digest=artifact_digest, by=actor, at=_stamp(case.now), reason=reason, number=number)
    live = [(one.name, found.model) for one in held for found in one.live if found.artifact_digest == artifact_digest]
    sentence = f"{artifact_digest} is revoked: it is promoted nowhere any more, and no server answers with it."
    if live:
        lines = (case.written(f"/rollback {environment} {model} --reason ...") for environment, model in live)
        ways = listed(f"`{line}`" for line in lines)
        sentence += f" It is live in {listed(environment for environment, _ in live)}: take it back with {ways}."
    return Written(sentence, {revocation_path(artifact_digest): said.canonical()}, {})


def open_break_glass(opinion: str, actor: Account, environment: str, reason: str, case: Case) -> str:
    """What a second person must write. `opinion` is the opinion id of the request.

    Raises UserError when the policy knows no break-glass there, or when the person's request could never count.
    """
    checked("break-glass", actor.id, case)
    _known(environment, case)
    rule = case.policies.environments.break_glass
    if rule is None or environment not in rule.environments:
        where = f"It is for {listed(rule.environments)}." if rule else "policies/environments.yaml has no break_glass."
        raise UserError(f"there is no break-glass for {environment}", hint=where, code="command_not_allowed")
    if not reason.strip():
        raise UserError("break-glass needs a reason", hint="Add --reason and why.", code="reason_missing")
    others = case.members(rule.roles, (actor.id,))
    if case.holds_any(actor.id, rule.roles, builders(case)) is not True:
        hint = f"Who can ask: {listed(others)}."
        raise UserError(f"{actor.login} cannot ask for it here", hint=hint, code="contributor_approval")
    name = request_id(case.facts.pull_request.number, opinion)
    line = case.written(f"/break-glass confirm {name}")
    return (
        f"{name} asks to promote past the policy. It needs {rule.min_people} people in all, "
        f"within {rule.confirm_within}. Who can confirm ({listed(others)}) writes: `{line}`"
    )


def break_glass_used(case: Case) -> Written | None:
    """The fact that break-glass was used for the subject, with when its review is due; None when it was not."""
    rule = case.policies.environments.break_glass
    used = [found for scope in case.scopes if (found := glass(scope, case)) is not None and found.is_broken]
    if rule is None or not used:
        return None
    due = case.now + timedelta(seconds=seconds(rule.review.within))
    parties = builders(case) | {one for one in (case.facts.asked.by,) if one is not None}
    parties |= lenders(electorate([person for one in used for person in one.people], (), case))
    uses = {
        one.request: BreakGlassUse(
            id=one.request,
            environment=case.facts.subject,
            at=_stamp(case.now),
            review_due=_stamp(due),
            reviewed=False,
            people=(*one.people, *sorted(parties - set(one.people))),
        )
        for one in used
    }
    files = {break_glass_path(name): canonical_json(use.model_dump(mode="json")) for name, use in uses.items()}
    who = listed(case.members((rule.review.role,)))
    names = listed(uses)
    line = case.written(f"/break-glass confirm {names}")
    return Written(f"{names} must be reviewed by {_stamp(due)}: {who}: {line}", files, {})


def review_break_glass(request: str, actor: Account, reason: str, case: Case) -> Written | None:
    """The review that must follow; None when the id is not one of a promotion that happened."""
    rule = case.policies.environments.break_glass
    use = next((one for one in case.facts.break_glass if one.id == request), None)
    if rule is None or use is None:
        return None
    if case.holds_any(actor.id, (rule.review.role,), use.people) is not True:
        who = listed(case.members((rule.review.role,)))
        raise UserError(f"{actor.login} cannot review {request}", hint=f"Who can: {who}.", code="role_missing")
    path = break_glass_review_path(request)
    return Written(f"{request} was reviewed by {actor.login}.", {path: _word(actor, reason, case)}, {})


def _known(environment: str, case: Case) -> None:
    if environment not in case.policies.environments.environments:
        known = listed(case.policies.environments.environments)
        raise UserError(f"there is no environment {environment}", hint=f"Known: {known}.", code="unknown_environment")


def _lock_of(environment: str, held: Collection[EnvironmentFact]) -> Lock | None:
    return next((one.lock for one in held if one.name == environment), None)


def _word(actor: Account, reason: str, case: Case) -> bytes:
    word = Word(by=actor, at=_stamp(case.now), reason=reason, number=case.facts.pull_request.number)
    return canonical_json(word.model_dump(mode="json"))


def _who(verb: str, case: Case) -> str | None:
    who = who_may(verb, case)
    return f"Who may: {listed(who)}." if who else None


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
