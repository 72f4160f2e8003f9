"""An actor and the policy -> the roles that the actor holds, and those of which GitHub did not say."""

from __future__ import annotations

from dataclasses import dataclass

from bot.records.facts import Actor
from bot.specs.policies.roles import Role, Roles
from bot.specs.policies.words import PERMISSIONS


@dataclass(frozen=True)
class Holding:
    """Role names: `held` for certain, `unknown` when a fact is missing. `listed_app`: a bot that a role names."""

    held: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    listed_app: bool = False


def roles_of(actor: Actor, roles: Roles) -> Holding:
    """What the actor is, by id; logins are never compared."""
    answers = {name: _holds(actor, role) for name, role in roles.roles.items()}
    return Holding(
        frozenset(name for name, answer in answers.items() if answer is True),
        frozenset(name for name, answer in answers.items() if answer is None),
        actor.account.kind == "Bot" and any(_is_named(actor, role) for role in roles.roles.values()),
    )


def may_write(role: str) -> bool:
    """Whether a role of the repository may write to it; of a role that an organization made itself it is believed."""
    return role not in PERMISSIONS[: PERMISSIONS.index("write")]


def at_least(permission: str | None, wanted: str | None) -> bool | None:
    """Whether a permission reaches the wanted one; None when it is not known."""
    if wanted is None:
        return True
    return None if permission is None else PERMISSIONS.index(permission) >= PERMISSIONS.index(wanted)


def _is_named(actor: Actor, role: Role) -> bool:
    return actor.account.id in {account.id for account in role.accounts}


def _holds(actor: Actor, role: Role) -> bool | None:
    member = _is_member(actor, role)
    permitted = at_least(actor.permission, role.permission)
    if member is False or permitted is False:
        return False
    return None if member is None or permitted is None else True


def _is_member(actor: Actor, role: Role) -> bool | None:
    names = role.apps if actor.account.kind == "Bot" else role.users
    if actor.account.id in {int(name.rpartition("#")[2]) for name in names}:
        return True
    if actor.account.kind != "User":
        return False
    if not (role.users or role.teams or role.apps):
        return True  # a role by permission alone
    teams = {team.lower() for team in role.teams}
    if teams & {team.lower() for team in actor.teams}:
        return True
    return None if teams & {team.lower() for team in actor.unknown_teams} else False
