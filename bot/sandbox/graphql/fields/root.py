"""Where a query starts: who asks, accounts, repositories, objects by id, the search, and what it costs."""

from __future__ import annotations

from graphql import GraphQLError

from bot.sandbox import search
from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields import accounts, issues
from bot.sandbox.graphql.fields.interface import Args, Field, constant
from bot.sandbox.graphql.nodes import found_by
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.http import ApiError, not_found
from bot.sandbox.shapes.basics import iso_of_epoch

IDS_LIMIT = 100


def _viewer(_thing: None, at: Context, _args: Args) -> Thing:
    """The account behind the token; a bot answers as a user here, as GitHub has it."""
    return Thing("User", at.hub.person(at.login))


def _missing(kind: str, words: str, args: Args) -> GraphQLError:
    said = f"Could not resolve to a {kind} with the {words}."
    return GraphQLError(said.format(**args), extensions={"type": "NOT_FOUND"})


def _repository(_thing: None, at: Context, args: Args) -> Thing:
    full_name = f"{args['owner']}/{args['name']}"
    try:
        found = at.repository(full_name)
    except ApiError:
        raise _missing("Repository", "name '{owner}/{name}'", args) from None
    if not args["followRenames"] and found.repo.full_name.lower() != full_name.lower():
        raise _missing("Repository", "name '{owner}/{name}'", args)
    return found


def _user(_thing: None, at: Context, args: Args) -> Thing:
    try:
        found = at.person(at.hub.person(args["login"]))
    except ApiError:
        raise _missing("User", "login of '{login}'", args) from None
    if found.kind != "User":
        raise _missing("User", "login of '{login}'", args)
    return found


def _organization(_thing: None, at: Context, args: Args) -> Thing:
    try:
        return accounts.organization(at, args["login"])
    except ApiError:
        raise _missing("Organization", "login of '{login}'", args) from None


def _owner(_thing: None, at: Context, args: Args) -> Thing | None:
    known = at.account(args["login"])
    if known is None and args["login"] in {one.owner for one in at.hub.data.repositories.values()}:
        return at.owner(args["login"])
    return known if known and known.kind == "User" else None


def _node(_thing: None, at: Context, args: Args) -> Thing:
    found = found_by(at, args["id"])
    if found is None:
        raise _missing("node", "global id of '{id}'", args)
    return found


def _nodes(_thing: None, at: Context, args: Args) -> list[Thing | None]:
    ids = args["ids"]
    if len(ids) > IDS_LIMIT:
        words = f"You may not provide more than {IDS_LIMIT} node ids; you provided {len(ids)}."
        raise GraphQLError(words, extensions={"type": "ARGUMENT_LIMIT"})
    return [found_by(at, one) for one in ids]


def _resource(_thing: None, at: Context, args: Args) -> Thing | None:
    """What stands at an address: a repository, an issue, a pull request."""
    parts = args["url"].removeprefix(at.links.web).strip("/").split("/")
    try:
        home = at.repository("/".join(parts[:2]))
        if len(parts) == 2:
            return home
        found = home.repo.issues.get(int(parts[3])) if parts[2] in ("pull", "issues") else None
    except (ApiError, ValueError, IndexError):
        return None
    return issues.thing_of(found, home.repo) if found else None


def _search(_thing: None, at: Context, args: Args) -> Connection:
    counts = dict.fromkeys(
        ("issueCount", "repositoryCount", "userCount", "discussionCount", "codeCount", "wikiCount"), 0
    )
    found: list[Thing]
    if args["type"] in ("ISSUE", "ISSUE_ADVANCED"):
        seen = [one for one in at.hub.data.repositories.values() if at.role(one) != "none"]
        found = [issues.thing_of(one, home) for home, one in search.issues(seen, args["query"], at.login)]
        counts["issueCount"] = len(found)
    elif args["type"] == "REPOSITORY":
        found = [Thing("Repository", one, one) for one in search.repositories(at.hub, args["query"])]
        found = [one for one in found if at.role(one.repo) != "none"]
        counts["repositoryCount"] = len(found)
    else:
        raise not_found()
    return Connection(found, args, extra=counts)


def _rate_limit(_thing: None, at: Context, _args: Args) -> dict[str, object]:
    limits = at.limits
    return {
        "cost": at.cost.points,
        "nodeCount": at.cost.nodes,
        "limit": limits["limit"],
        "remaining": limits["remaining"],
        "used": limits["used"],
        "resetAt": iso_of_epoch(limits["reset"]),
    }


FIELDS: dict[str, dict[str, Field]] = {
    "Query": {
        "viewer": _viewer,
        "repository": _repository,
        "user": _user,
        "organization": _organization,
        "repositoryOwner": _owner,
        "node": _node,
        "nodes": _nodes,
        "resource": _resource,
        "search": _search,
        "rateLimit": _rate_limit,
        "relay": constant({}),
        "id": constant("query"),
    }
}
