"""What if somebody approved, rejected or was not there? The facts are changed, the judge is the same."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from bot.errors import UserError
from bot.records.event import Account
from bot.records.facts import Actor, Facts, Opinion
from bot.specs.policies import Policies
from bot.specs.policies.words import account


def as_if(
    facts: Facts,
    policies: Policies,
    now: datetime,
    *,
    approve: Iterable[str] = (),
    reject: Iterable[str] = (),
    without: Iterable[str] = (),
    base: str | None = None,
) -> Facts:
    """Facts as if these people (logins, with or without @) had just approved or rejected the live head, or never spoke,
    after the pull request had been retargeted to the branch `base` (None: where it is).

    What changed, models and evaluations stay those of the real base; what was said before a retarget is void.

    People whom the facts do not know are taken from roles.yaml, with every permission. Raises UserError for others.
    """
    known = {actor.account.login.lower(): actor for actor in facts.actors}
    gone = {_find(login, known, policies).account.id for login in without}
    speakers: list[tuple[Actor, Literal["approve", "reject"]]] = [
        *((_find(login, known, policies), "approve") for login in approve),
        *((_find(login, known, policies), "reject") for login in reject),
    ]
    said = [
        _opinion(index, actor, kind, facts, now, environment)
        for index, (actor, kind) in enumerate(speakers)
        for environment in ((None,) if facts.subject == "merge" else (None, facts.subject))
    ]
    fresh = {actor.account.id: actor for actor, _ in speakers}
    actors = {actor.account.id: actor for actor in facts.actors} | fresh
    opinions = [one for one in facts.opinions if one.actor not in gone]
    pull_request = facts.pull_request
    if base is not None and base != pull_request.base_ref:
        opinions = [one.model_copy(update={"voided": "retargeted"}) for one in opinions]
        pull_request = pull_request.model_copy(update={"base_ref": base})
    changed = {"opinions": (*opinions, *said), "actors": tuple(actors.values()), "pull_request": pull_request}
    return facts.model_copy(update=changed)


def _find(login: str, known: dict[str, Actor], policies: Policies) -> Actor:
    bare = login.removeprefix("@").lower()
    if bare in known:
        return known[bare]
    for role in policies.roles.roles.values():
        for text in role.users:
            if account(text).login.lower() == bare:
                return Actor(account=Account(id=account(text).id, login=account(text).login), permission="admin")
    raise UserError(f"nobody knows {login}", hint="Name somebody of roles.yaml or of the pull request.")


def _opinion(
    index: int, actor: Actor, kind: Literal["approve", "reject"], facts: Facts, now: datetime, environment: str | None
) -> Opinion:
    return Opinion(
        id=f"simulated{index}.{environment or 'merge'}",
        method="review" if environment is None else "command",
        kind=kind,
        actor=actor.account.id,
        created_at=(now + timedelta(microseconds=1)).isoformat(),  # after what was said in this very moment
        commit_sha=facts.pull_request.head_sha if environment is None else None,
        target=None if environment is None else facts.pull_request.head_sha,
        environment=environment,
    )
