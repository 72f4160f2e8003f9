"""The search: /search/issues and /search/repositories."""

from __future__ import annotations

from bot.sandbox import search
from bot.sandbox.http import ApiError, Call, Page, Route
from bot.sandbox.shapes import issues as shapes
from bot.sandbox.shapes.repositories import full
from bot.sandbox.store import Repository


def _query(call: Call) -> str:
    if not call.query.get("q"):
        raise ApiError(422, "Validation Failed", [{"resource": "Search", "field": "q", "code": "missing"}])
    return call.query["q"]


def _seen(call: Call) -> list[Repository]:
    """Repositories that the caller may see."""
    found = call.hub.data.repositories.values()
    login = call.token.login if call.token else ""
    by_run = call.token is not None and call.token.permissions is not None
    return [one for one in found if by_run or not login or call.hub.permission(one, login) != "none"]


def issues(call: Call) -> Page:
    login = call.token.login if call.token else ""
    found = search.issues(_seen(call), _query(call), login)
    return Page(
        found,
        lambda pair: shapes.issue(call.links, *pair) | {"score": 1.0},
        key="items",
        extra={"incomplete_results": False, "search_type": "lexical"},
    )


def repositories(call: Call) -> Page:
    seen = _seen(call)
    found = [one for one in search.repositories(call.hub, _query(call)) if one in seen]
    return Page(
        found,
        lambda one: full(call.links, one) | {"score": 1.0},
        key="items",
        extra={"incomplete_results": False},
    )


ROUTES = [Route("GET", "/search/issues", issues), Route("GET", "/search/repositories", repositories)]
