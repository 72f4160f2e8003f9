"""GraphQL: /graphql as on github.com, /api/graphql as on an enterprise server."""

from __future__ import annotations

from bot.sandbox.http import Call, Reply, Route


def graphql(call: Call) -> Reply:
    return _answer(call, is_enterprise=False)


def enterprise_graphql(call: Call) -> Reply:
    return _answer(call, is_enterprise=True)


def _answer(call: Call, *, is_enterprise: bool) -> Reply:
    from bot.sandbox.graphql.endpoint import answer  # the library and the schema cost half a second
    from bot.sandbox.server import perform

    return answer(call, perform, is_enterprise=is_enterprise)


ROUTES = [
    Route("POST", "/graphql", graphql, saves=False),
    Route("POST", "/api/graphql", enterprise_graphql, saves=False),
]
PATHS = tuple(route.pattern for route in ROUTES)
