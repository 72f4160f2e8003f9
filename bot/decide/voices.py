"""Opinions in order -> for each part of the change, who approves it now, and why others do not count."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.decide.binding import unbound
from bot.decide.case import Case, Scope, moment
from bot.records.facts import Opinion
from bot.specs.policies.words import seconds

Binding = Callable[[Opinion], str | None]


@dataclass(frozen=True)
class Refused:
    """An approval that does not count, and why."""

    opinion: Opinion
    code: str


@dataclass(frozen=True)
class Voices:
    """By person: the approval that counts, or the last one that does not."""

    counted: dict[int, Opinion]
    refused: dict[int, Refused]


def voices(scope: Scope, case: Case, methods: Collection[str], excluded: Collection[int]) -> Voices:
    """Who approves this part of the change for the merge. `excluded` are people whose approval never counts."""
    seen: dict[object, str | None] = {}

    def binding(opinion: Opinion) -> str | None:
        key = (
            opinion.method,
            opinion.commit_sha,
            opinion.target,
            opinion.seen_head,
            opinion.models,
            str(opinion.recorded),
        )
        if key not in seen:
            seen[key] = unbound(opinion, scope, case)
        return seen[key]

    wanted = [one for one in case.opinions if one.environment is None]
    return fold(wanted, case, binding, methods, excluded, _deadline(case))


def fold(
    opinions: Iterable[Opinion],
    case: Case,
    binding: Binding,
    methods: Collection[str],
    excluded: Collection[int],
    deadline: Callable[[Opinion], bool],
) -> Voices:
    """The last word of each person. What takes an approval back counts also when edited or given for another head.

    A review that was an approval and was dismissed takes back the reviews before it and no command. Of one that may
    have been a rejection nothing older counts.
    """
    given: dict[int, list[Opinion]] = {}  # by person: approvals that stand, the last one counts
    refused: dict[int, Refused] = {}
    for opinion in opinions:
        before = given.setdefault(opinion.actor, [])
        if opinion.kind in ("withdraw", "reject"):
            given[opinion.actor] = [one for one in before if opinion.was == "approve" and one.method == "command"]
            if before or opinion.actor in refused:
                refused[opinion.actor] = Refused(before[-1] if before else refused[opinion.actor].opinion, "withdrawn")
        elif opinion.kind == "approve":
            code = _refusal(opinion, case, methods, excluded, deadline) or binding(opinion)
            if code is None:
                before.append(opinion)
            elif not before:
                refused[opinion.actor] = Refused(opinion, code)
    counted = {actor: approvals[-1] for actor, approvals in given.items() if approvals}
    return Voices(counted, {actor: one for actor, one in refused.items() if actor not in counted})


def _refusal(
    opinion: Opinion,
    case: Case,
    methods: Collection[str],
    excluded: Collection[int],
    expired: Callable[[Opinion], bool],
) -> str | None:
    """Why an approval counts nowhere, None when nothing is against it."""
    if opinion.voided:
        return "voided"
    if opinion.method not in methods:
        return "method_not_allowed"
    if opinion.tampered:
        return "edited" if opinion.changed_by == opinion.actor else "tampered"
    if opinion.edited and opinion.method == "command":
        return "edited"
    if case.is_ahead(opinion):
        return "future_dated"
    actor = case.actors.get(opinion.actor)
    if actor is not None and actor.account.kind != "User" and not case.holding(opinion.actor).listed_app:
        return "app_not_listed"
    if opinion.actor in excluded:
        is_author = opinion.actor == case.facts.pull_request.author.id
        return "self_approval" if is_author else "contributor_approval"
    return "expired" if expired(opinion) else None


def _deadline(case: Case) -> Callable[[Opinion], bool]:
    """Whether an approval is too old. Its time runs until the merge: what was right at the merge stays right."""
    limit = case.approvals.defaults.valid_for
    if limit is None or case.facts.pull_request.merged:
        return lambda _opinion: False
    return lambda opinion: is_older(opinion.created_at, limit, case.now)


def is_older(at: str, limit: str, now: datetime) -> bool:
    """Whether so much time or more has gone since."""
    return (now - moment(at)).total_seconds() >= seconds(limit)
