"""Accounts, collaborators, teams, rate limits."""

from __future__ import annotations

from typing import Any

from bot.sandbox import accounts
from bot.sandbox.http import Call, Page, Reply, Route, invalid, not_found
from bot.sandbox.people import RANKS, Person, Team
from bot.sandbox.routes.issues import R
from bot.sandbox.shapes import teams
from bot.sandbox.shapes.basics import organization_id
from bot.sandbox.shapes.repositories import abilities


def me(call: Call) -> Reply:
    return Reply(call.links.full_user(call.hub.person(call.login)))


def get_user(call: Call) -> Reply:
    return Reply(call.links.full_user(call.hub.person(call.params["login"])))


def user_by_id(call: Call) -> Reply:
    number = call.number("id")
    for person in call.hub.data.people.values():
        if person.id == number:
            return Reply(call.links.full_user(person))
    raise not_found()


def permission(call: Call) -> Reply:
    person = call.hub.person(call.params["login"])
    role = call.hub.permission(call.repo, person.login)
    user = call.links.user(person) | {"permissions": abilities(role), "role_name": role}
    return Reply({"permission": accounts.LEGACY.get(role, role), "role_name": role, "user": user})


def collaborators(call: Call) -> Page:
    names = [name for name in call.repo.permissions if call.hub.permission(call.repo, name) != "none"]

    def shape(login: str) -> dict[str, Any]:
        role = call.hub.permission(call.repo, login)
        return call.links.user(call.hub.person(login)) | {"permissions": abilities(role), "role_name": role}

    return Page(names, shape)


def is_collaborator(call: Call) -> Reply:
    if call.params["login"] not in call.repo.permissions:
        raise not_found()
    return Reply(None, 204)


def organization(call: Call) -> Reply:
    name = call.params["org"]
    if name not in {repo.owner for repo in call.hub.data.repositories.values()} or name in call.hub.data.people:
        raise not_found()
    body = call.links.user(Person(name, organization_id(name), kind="Organization"))
    extra = call.links.organization(name) | {
        "has_organization_projects": True,
        "has_repository_projects": True,
        "archived_at": None,
    }
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    dates = dict.fromkeys(("created_at", "updated_at"), "2020-01-01T00:00:00Z")
    return Reply(body | extra | counts | dates)


def _team(call: Call) -> Team:
    """Raises 404, also for a secret team that the caller is not in."""
    found = call.hub.data.teams.get(call.params["team"])
    if found is None or not _sees(call, found):
        raise not_found()
    return found


def _sees(call: Call, found: Team) -> bool:
    return not found.secret or (call.token is not None and bool(call.hub.team_role(found.slug, call.token.login)))


def list_teams(call: Call) -> Page:
    return Page([one for one in call.hub.data.teams.values() if _sees(call, one)], lambda one: _shape(call, one))


def _shape(call: Call, found: Team) -> dict[str, Any]:
    return teams.team(call.links, call.params["org"], found, typed=True)


def team(call: Call) -> Reply:
    found = _team(call)
    dates = dict.fromkeys(("created_at", "updated_at"), "2020-01-01T00:00:00Z")
    counts = {"members_count": len(found.members), "repos_count": 1}
    return Reply(_shape(call, found) | dates | counts | {"organization": organization(call).body})


def membership(call: Call) -> Reply:
    """Members of a child team count; 404 for anybody else."""
    role = call.hub.team_role(_team(call).slug, call.hub.person(call.params["login"]).login)
    if role is None:
        raise not_found()
    url = f"{call.root}/orgs/{call.params['org']}/teams/{call.params['team']}/memberships/{call.params['login']}"
    return Reply({"state": "active", "role": role, "url": url})


def members(call: Call) -> Page:
    slug = _team(call).slug
    names = [name for name in call.hub.data.people if call.hub.team_role(slug, name)]
    return Page(names, lambda name: call.links.account(name))


def rate_limit(call: Call) -> Reply:
    core = call.hub.limits(call.token)
    rest = {"limit": 30, "used": 0, "remaining": 30, "reset": core["reset"]}
    graphql = call.hub.limits(call.token, "graphql")
    return Reply({"resources": {"core": core, "search": rest, "graphql": graphql}, "rate": core})


def meta(_: Call) -> Reply:
    return Reply({"verifiable_password_authentication": False, "installed_version": "3.17.0"})


def put_collaborator(call: Call) -> Reply:
    role = {"pull": "read", "push": "write"}.get(word := call.get("permission", "push"), word)
    if role not in RANKS[1:]:
        raise invalid("Collaborator", "permission")
    person = call.hub.person(call.params["login"])
    accounts.set_permission(call.hub, call.repo, person.login, role, call.login)
    return Reply(None, 204)


def remove_collaborator(call: Call) -> Reply:
    person = call.hub.person(call.params["login"])
    accounts.set_permission(call.hub, call.repo, person.login, "none", call.login)
    return Reply(None, 204)


TEAM = "/orgs/{org}/teams/{team}"

ROUTES = [
    Route("GET", "/meta", meta),
    Route("GET", "/rate_limit", rate_limit),
    Route("GET", "/user", me, ("never",)),
    Route("GET", "/users/{login}", get_user),
    Route("GET", "/user/{id}", user_by_id),
    Route("GET", R + "/collaborators", collaborators, ("contents",), "write"),
    Route("GET", R + "/collaborators/{login}", is_collaborator, ("contents",), "write"),
    Route("PUT", R + "/collaborators/{login}", put_collaborator, ("never",), "admin"),
    Route("DELETE", R + "/collaborators/{login}", remove_collaborator, ("never",), "admin"),
    Route("GET", R + "/collaborators/{login}/permission", permission),
    Route("GET", "/orgs/{org}", organization),
    Route("GET", "/orgs/{org}/teams", list_teams, ("members",)),
    Route("GET", TEAM, team, ("members",)),
    Route("GET", TEAM + "/members", members, ("members",)),
    Route("GET", TEAM + "/memberships/{login}", membership, ("members",)),
]
