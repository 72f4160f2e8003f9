"""Rulesets of a repository and of its organization: /rulesets, /rules/branches."""

from __future__ import annotations

import functools
from typing import Any

from bot.sandbox import rules, rulesets
from bot.sandbox.http import ApiError, Call, Page, Reply, Route, not_found
from bot.sandbox.routes.issues import R
from bot.sandbox.rulesets import actor_of
from bot.sandbox.shapes.basics import node

ORG = "/orgs/{org}/rulesets"
Ruleset = dict[str, Any]


def list_rulesets(call: Call) -> Page:
    """With the organization's, unless `includes_parents=false`; `targets` chooses by target."""
    targets = set(call.query.get("targets", "branch,tag,push,repository").split(","))
    parents = call.query.get("includes_parents", "true") != "false"
    found = [one for one in rulesets.every(call.hub, call.repo, parents=parents) if one["target"] in targets]
    return Page(found, lambda one: shape(call, one))


def _find(call: Call, among: list[Ruleset]) -> Ruleset:
    for one in among:
        if one["id"] == call.number("ruleset_id"):
            return one
    raise not_found()


def get_ruleset(call: Call) -> Reply:
    return Reply(whole(call, _find(call, rulesets.every(call.hub, call.repo))))


def shape(call: Call, one: Ruleset) -> dict[str, Any]:
    """GitHub's `repository-ruleset` as lists show it."""
    where, page = f"{call.root}/orgs/{one['source']}", f"{call.links.web}/organizations/{one['source']}/settings/rules"
    if one["source_type"] == "Repository":
        where, page = f"{call.root}/repos/{one['source']}", f"{call.links.web}/{one['source']}/rules"
    fields = ("id", "name", "target", "source_type", "source", "enforcement", "created_at", "updated_at")
    links = {"self": {"href": f"{where}/rulesets/{one['id']}"}, "html": {"href": f"{page}/{one['id']}"}}
    return {name: one[name] for name in fields} | {"node_id": node("Ruleset", one["id"]), "_links": links}


def whole(call: Call, one: Ruleset) -> dict[str, Any]:
    """With conditions and rules; whom it does not hold back is shown to administrators only."""
    body = shape(call, one) | {"conditions": one["conditions"], "rules": one["rules"]}
    if "repo" in call.params:
        mode = rulesets.bypass_of(call.hub, one, actor_of(call.hub, call.repo, call.token))
        body["current_user_can_bypass"] = "pull_requests_only" if mode == "pull_request" else mode
    shown = "repo" not in call.params or call.at_least("admin")
    return body | ({"bypass_actors": one["bypass_actors"]} if shown else {})


def _create(call: Call, among: list[Ruleset], source: str, kind: str) -> Reply:
    rulesets.check(call.hub, call.body, among)
    made = rulesets.document(call.hub, call.body, source, kind)
    among.append(made)
    return Reply(whole(call, made), 201)


def _update(call: Call, among: list[Ruleset]) -> Reply:
    """Fields that are not given stay."""
    found = _find(call, among)
    body = found | (call.body if isinstance(call.body, dict) else {})
    rulesets.check(call.hub, body, [one for one in among if one is not found])
    fresh = rulesets.document(call.hub, body, found["source"], found["source_type"])
    found.update(fresh | {"id": found["id"], "created_at": found["created_at"]})
    return Reply(whole(call, found))


def create_ruleset(call: Call) -> Reply:
    return _create(call, call.repo.rulesets, call.repo.full_name, "Repository")


def update_ruleset(call: Call) -> Reply:
    return _update(call, call.repo.rulesets)


def delete_ruleset(call: Call) -> Reply:
    call.repo.rulesets.remove(_find(call, call.repo.rulesets))
    return Reply(None, 204)


def branch_rules(call: Call) -> Page:
    found = rules.rules_of(call.hub, call.repo, f"refs/heads/{call.params['branch']}")
    return Page(found, lambda one: one)


# --- the organization's


def _of_organization(call: Call) -> list[Ruleset]:
    """Raises 404 for somebody who administrates none of the organization's repositories, as for no organization."""
    name = call.params["org"]
    owned = [one for one in call.hub.data.repositories.values() if one.owner == name]
    if call.token is None or not any(call.hub.permission(one, call.token.login) == "admin" for one in owned):
        raise not_found()
    return [one for one in call.hub.data.rulesets if one["source"] == name]


def list_of_organization(call: Call) -> Page:
    return Page(_of_organization(call), lambda one: shape(call, one))


def get_of_organization(call: Call) -> Reply:
    return Reply(whole(call, _find(call, _of_organization(call))))


def create_of_organization(call: Call) -> Reply:
    among = _of_organization(call)
    if isinstance(call.body, dict) and "repository_name" not in (call.body.get("conditions") or {}):
        raise ApiError(422, "Validation Failed", ["Conditions must target repositories"])
    reply = _create(call, among, call.params["org"], "Organization")
    call.hub.data.rulesets.append(among[-1])
    return reply


def update_of_organization(call: Call) -> Reply:
    return _update(call, _of_organization(call))


def delete_of_organization(call: Call) -> Reply:
    call.hub.data.rulesets.remove(_find(call, _of_organization(call)))
    return Reply(None, 204)


_admin = functools.partial(Route, needs=("never",), role="admin")

ROUTES = [
    Route("GET", R + "/rulesets", list_rulesets),
    _admin("POST", R + "/rulesets", create_ruleset),
    Route("GET", R + "/rulesets/{ruleset_id}", get_ruleset),
    _admin("PUT", R + "/rulesets/{ruleset_id}", update_ruleset),
    _admin("DELETE", R + "/rulesets/{ruleset_id}", delete_ruleset),
    Route("GET", R + "/rules/branches/{branch+}", branch_rules),
    Route("GET", ORG, list_of_organization, ("never",)),
    Route("POST", ORG, create_of_organization, ("never",)),
    Route("GET", ORG + "/{ruleset_id}", get_of_organization, ("never",)),
    Route("PUT", ORG + "/{ruleset_id}", update_of_organization, ("never",)),
    Route("DELETE", ORG + "/{ruleset_id}", delete_of_organization, ("never",)),
]
