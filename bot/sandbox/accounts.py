"""Accounts that come, change their names and go; who may do what, and who is in which team."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from bot.errors import UserError
from bot.sandbox import events, moves
from bot.sandbox.hub import Hub
from bot.sandbox.people import BOT, GHOST, WEB_FLOW, Login, Permission, Person, Team
from bot.sandbox.relabel import relabel
from bot.sandbox.shapes import teams
from bot.sandbox.store import Data, Repository

# letters, digits and single hyphens; of a managed user `_` and the company's short name; of an app `[bot]`
_LOGIN = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9])*(?:_[A-Za-z0-9]+|\[bot\])?")
LEGACY: dict[str, str] = {"triage": "read", "maintain": "write"}  # what older fields call the newer roles


def _free(hub: Hub, login: str) -> None:
    if not _LOGIN.fullmatch(login):
        raise UserError(f"{login!r} is no login", hint="Letters, digits, single hyphens; one `_` of a managed account.")
    if login.lower() in {known.lower() for known in (*hub.data.people, GHOST.login)}:
        raise UserError(f"{login} is somebody's login already", code="taken")


def _known(hub: Hub, login: str) -> Person:
    if login in (BOT.login, WEB_FLOW.login) or login not in hub.data.people:
        raise UserError(f"{login}: nobody has this login", hint=f"There are {', '.join(sorted(hub.data.people))}.")
    return hub.data.people[login]


def rename(hub: Hub, old: str, new: str) -> Person:
    """The same account by another login, wherever it is named; the old login is free.

    Its token stays what it was. Commits by LOGIN@users.noreply.github.com lose their account, those by ID+LOGIN do not.
    """
    known = _known(hub, old)
    _free(hub, new)
    hub.data.people[old] = dataclasses.replace(known, token=known.secret, names=(*known.names, old))
    relabel(hub.data, Data, Login, lambda login: new if login == old else login)
    for repository in [one for one in hub.data.repositories.values() if one.owner == old]:
        moves.move(hub, repository, f"{new}/{repository.name}")
    return hub.data.people[new]


def delete(hub: Hub, login: str) -> None:
    """The account is gone with its token, its memberships and its own repositories; what it wrote is the ghost's."""
    _known(hub, login)
    del hub.data.people[login]
    hub.data.tokens = {value: one for value, one in hub.data.tokens.items() if one.login != login}
    for name in [one.full_name for one in hub.data.repositories.values() if one.owner == login]:
        del hub.data.repositories[name]
    relabel(hub.data, Data, Login, lambda one: None if one == login else one, nobody=GHOST.login)


def register(hub: Hub, person: Person) -> Person:
    """A new account with a token, that may do in a repository what anybody may. Raises UserError when it exists."""
    _free(hub, person.login)
    taken = {one.id: one.login for one in hub.data.people.values()}
    if person.id in taken:
        raise UserError(f"{person.id} is the number of {taken[person.id]}", code="taken")
    # only accounts of before July 2017 have an address without their number
    hub.add_people([dataclasses.replace(person, has_old_address=False)])
    return hub.data.people[person.login]


def set_permission(hub: Hub, repository: Repository, login: str, permission: Permission, sender: str) -> None:
    """Let somebody do more or less in a repository; `none` takes them off the list of collaborators."""
    person, before = _known(hub, login), repository.permissions.get(login)
    if permission == "none":
        repository.permissions.pop(login, None)
    else:
        repository.permissions[login] = permission
    if permission == (before or "none"):
        return
    action = "removed" if permission == "none" else "edited" if before else "added"
    changes: dict[str, Any] = {"changes": _changes(before, permission)} if action != "removed" else {}
    member = hub.links().user(person)
    events.announce(hub, repository, "member", action, sender, False, member=member, **changes)


def _changes(before: Permission | None, after: Permission) -> dict[str, Any]:
    if before is None:
        return {"permission": {"to": LEGACY.get(after, after)}}
    return {"old_permission": {"from": LEGACY.get(before, before)}}


def set_team(hub: Hub, slug: str, members: tuple[str, ...] | None, parent: str | None, sender: str) -> None:
    """Make a team, or change who is in it; None deletes it, and with it the teams below."""
    old = hub.data.teams.get(slug)
    for login in members or ():
        _known(hub, login)
    if members is None:
        _dissolve(hub, slug)
    else:
        hub.data.teams[slug] = Team(slug, tuple(members), parent or (old.parent if old else None))
    was, now = set(old.members if old else ()), set(members or ())
    for action, logins in (("removed", was - now), ("added", now - was)):
        for login in sorted(logins):
            _announce_membership(hub, action, slug, login, sender)


def _dissolve(hub: Hub, slug: str) -> None:
    hub.data.teams.pop(slug, None)
    for child in [one.slug for one in hub.data.teams.values() if one.parent == slug]:
        _dissolve(hub, child)


def _announce_membership(hub: Hub, action: str, slug: str, login: str, sender: str) -> None:
    links, repository = hub.links(), next(iter(hub.data.repositories.values()))
    team = hub.data.teams.get(slug)
    gone = {"id": teams.team_id(slug), "name": slug, "deleted": True}
    payload = {
        "action": action,
        "scope": "team",
        "member": links.account(login),
        "sender": links.account(sender),
        "team": teams.team(links, repository.owner, team) if team else gone,
        "organization": links.organization(repository.owner),
    }
    hub.announce(repository, "membership", payload, by_run=False)


def administrator(repository: Repository) -> str:
    """Who changes settings: the first administrator, else the owner."""
    roles = repository.permissions.items()
    return next((login for login, permission in roles if permission == "admin"), repository.owner)
