"""One field of one object: looked up in the tables, checked for its page size, its errors in GitHub's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields import TABLE
from bot.sandbox.graphql.limits import check_bounds
from bot.sandbox.http import ApiError

TYPES = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND", 429: "RATE_LIMITED"}


def resolve(source: Any, info: GraphQLResolveInfo[Context], **args: Any) -> Any:
    """The value of a field. Raises GraphQLError with GitHub's `type`."""
    name = info.field_name
    if isinstance(source, Connection):
        return source.answer(name)
    if isinstance(source, Mapping):
        return source[name] if name in source else source.get(_snake(name))
    if source is not None and source.kind.endswith("Parameters"):
        return source.value.get(_snake(name), False if str(info.return_type) == "Boolean!" else None)
    found = TABLE.get((info.parent_type.name, name))
    if found is None:
        words = f"The sandbox does not answer the field '{name}' of {info.parent_type.name}."
        raise GraphQLError(words, extensions={"type": "NOT_IMPLEMENTED"})
    result = _called(found, source, info.context, args)
    if isinstance(result, Connection) and _asks_for_items(info):
        check_bounds(name, args)
    return result


def _called(found: Callable[..., Any], source: Any, context: Context, args: dict[str, Any]) -> Any:
    try:
        return found(source, context, args)
    except ApiError as error:
        raise graphql_error(error) from None


def graphql_error(error: ApiError) -> GraphQLError:
    """What GraphQL says where REST would answer with this error."""
    kind = TYPES.get(error.status, "UNPROCESSABLE")
    said = [one if isinstance(one, str) else one.get("message", "") for one in error.body.get("errors", ())]
    words = ", ".join(one for one in said if one) or str(error)
    return GraphQLError(words, extensions={"type": kind})


def _snake(name: str) -> str:
    """A field's name as the REST API writes it."""
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def _asks_for_items(info: GraphQLResolveInfo[Context]) -> bool:
    """Whether the query wants the objects of a connection, not only how many there are."""
    wanted: set[str] = set()
    waiting: list[Any] = [
        selected for one in info.field_nodes for selected in (one.selection_set.selections if one.selection_set else ())
    ]
    while waiting:
        one = waiting.pop()
        if one.kind == "field":
            wanted.add(one.name.value)
        elif one.kind == "fragment_spread":
            waiting += info.fragments[one.name.value].selection_set.selections
        else:
            waiting += one.selection_set.selections
    return bool(wanted & {"nodes", "edges", "pageInfo"})


def type_of(value: Any, _info: Any, _abstract: Any) -> str:
    """The type of the schema that stands behind an interface or a union."""
    return str(value.kind)
