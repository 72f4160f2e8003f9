"""Users, bots, organizations, teams."""

from __future__ import annotations

from typing import Any

from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields.interface import Args, Field, constant, copied, empty, path_of
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.http import not_found
from bot.sandbox.shapes.basics import node


def rest(thing: Thing, at: Context) -> dict[str, Any]:
    """The account as the REST API shows it."""
    found: dict[str, Any] = at.once("rest", thing, lambda: at.links.full_user(thing.value))
    return found


def _login(thing: Thing, _at: Context, _args: Args) -> str:
    """A bot's name is without `[bot]` here, unlike in the REST API."""
    name = str(thing.value.login)
    return name.removesuffix("[bot]") if thing.kind == "Bot" else name


def _repositories(thing: Thing, at: Context, args: Args) -> Connection:
    owned = [one for one in at.hub.data.repositories.values() if one.owner == thing.value.login]
    seen = [Thing("Repository", one, one) for one in owned if at.role(one) != "none"]
    wanted = args.get("isFork")
    return Connection([one for one in seen if wanted is None or wanted == (one.repo.parent is not None)], args)


def _repository(thing: Thing, at: Context, args: Args) -> Thing:
    return at.repository(f"{thing.value.login}/{args['name']}")


def _organization_of_user(thing: Thing, at: Context, args: Args) -> Thing | None:
    found = organization(at, args["login"])
    return found if any(thing.value.login in team.members for team in at.hub.data.teams.values()) else None


def organization(at: Context, login: str) -> Thing:
    """Raises ApiError when no repository here belongs to an organization of this name."""
    names = {one.owner for one in at.hub.data.repositories.values()}
    if login not in names or login in at.hub.data.people:
        raise not_found()
    return at.owner(login)


def _team(_thing: Thing, at: Context, args: Args) -> Thing | None:
    found = at.hub.data.teams.get(args["slug"])
    at.need("members")
    return Thing("Team", found) if found else None


def _teams(_thing: Thing, at: Context, args: Args) -> Connection:
    at.need("members")
    return Connection([Thing("Team", one) for one in at.hub.data.teams.values()], args)


def _members(thing: Thing, at: Context, args: Args) -> Connection:
    names = [name for name in at.hub.data.people if at.hub.team_role(thing.value.slug, name)]
    return Connection([at.account(name) for name in names], args)


def _parent(thing: Thing, at: Context, _args: Args) -> Thing | None:
    found = at.hub.data.teams.get(thing.value.parent or "")
    return Thing("Team", found) if found else None


def _home(_thing: Thing, at: Context, _args: Args) -> Thing:
    """The organization of the teams: whoever owns the first repository here."""
    return at.owner(next(iter(at.hub.data.repositories.values())).owner)


_ACTOR: dict[str, Field] = copied(
    rest,
    {
        "id": "node_id",
        "databaseId": "id",
        "avatarUrl": "avatar_url",
        "url": "html_url",
        "createdAt": "created_at",
        "updatedAt": "updated_at",
    },
) | {"login": _login, "resourcePath": lambda thing, at, _: path_of(rest(thing, at)["html_url"], at)}

_OWNER: dict[str, Field] = {
    "repositories": _repositories,
    "repository": _repository,
    "projectsV2": empty,
    "name": lambda thing, at, _: rest(thing, at)["name"],
    "location": constant(None),
    "websiteUrl": constant(None),
}

_TEAM: dict[str, Field] = {
    "id": lambda thing, _at, _args: node("Team", thing.value.slug),
    "name": lambda thing, _at, _args: thing.value.slug,
    "slug": lambda thing, _at, _args: thing.value.slug,
    "combinedSlug": lambda thing, at, _: f"{_home(thing, at, {}).value.login}/{thing.value.slug}",
    "description": constant(None),
    "members": _members,
    "parentTeam": _parent,
    "organization": _home,
}

FIELDS: dict[str, dict[str, Field]] = {
    "User": _ACTOR
    | _OWNER
    | {
        "email": lambda thing, at, _: rest(thing, at)["email"] or "",
        "bio": lambda thing, at, _: rest(thing, at)["bio"],
        "company": lambda thing, at, _: rest(thing, at)["company"],
        "isViewer": lambda thing, at, _: thing.value.login == at.login,
        "isSiteAdmin": constant(False),
        "organization": _organization_of_user,
        "organizations": empty,
        "status": constant(None),
    },
    "Bot": _ACTOR,
    "Mannequin": _ACTOR,
    "Organization": _ACTOR
    | _OWNER
    | {"team": _team, "teams": _teams, "description": constant(None), "projects": empty, "email": constant(None)},
    "Team": _TEAM,
}
