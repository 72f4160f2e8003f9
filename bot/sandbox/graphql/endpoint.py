"""One GraphQL request: parsed, checked against the schema and the limits, charged, executed."""

from __future__ import annotations

import functools
import re
import traceback
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    parse,
    validate,
)

from bot.sandbox.graphql.context import Context, Perform
from bot.sandbox.graphql.limits import Cost, cost_of
from bot.sandbox.graphql.resolve import resolve, type_of
from bot.sandbox.graphql.schema import schema
from bot.sandbox.http import ApiError, Call, Reply
from bot.sandbox.limits import check_content

_UNKNOWN = re.compile(r"Cannot query field '(\w+)' on type '(\w+)'")
LIMIT = "API rate limit exceeded for {}."


def answer(call: Call, perform: Perform, *, is_enterprise: bool) -> Reply:
    """`perform` answers a REST call as the same caller. Status 200 also with errors, as GitHub has it.

    Raises ApiError for a body that is no GraphQL request, and for a mutation too many.
    """
    text = call.get("query")
    if not isinstance(text, str):
        raise ApiError(400, "A query attribute must be specified and must be a string.")
    variables = call.get("variables") or {}
    try:
        document = _document(text)
        operation = _operation(document, call.get("operationName"))
        cost = cost_of(schema(), operation, _fragments(document), variables)
        charge(call, cost)
        if operation.operation == OperationType.MUTATION:
            for _ in operation.selection_set.selections:
                check_content(call.hub, call.login)
    except _RefusedError as refused:
        return _reply(call, {"errors": [_shown(error) for error in refused.errors]})
    except GraphQLError as error:
        return _reply(call, {"errors": [_shown(error)]})
    context = Context(call, perform, cost, call.hub.limits(call.token, "graphql"), is_enterprise)
    result = execute_sync(
        schema(),
        document,
        variable_values=variables,
        operation_name=call.get("operationName"),
        context_value=context,
        field_resolver=resolve,
        type_resolver=type_of,
    )
    if operation.operation == OperationType.MUTATION:
        call.hub.save()
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [_shown(error) for error in result.errors]
    return _reply(call, body)


class _RefusedError(Exception):
    """A query that does not fit the schema."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(str(errors))
        self.errors = errors


@functools.lru_cache(128)  # clients send the same few queries again and again
def _document(text: str) -> DocumentNode:
    document = parse(text)
    # GitHub lets `state` be asked of an issue and of a pull request in one place, though their types differ
    errors = [one for one in validate(schema(), document) if "they return conflicting types" not in one.message]
    if errors:
        raise _RefusedError(errors)
    return document


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    found = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    named = [one for one in found if name is None or (one.name and one.name.value == name)]
    if not named or (name is None and len(named) > 1):
        raise GraphQLError(f"No operation named {name!r}" if name else "An operation name is required")
    return named[0]


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    found = [one for one in document.definitions if isinstance(one, FragmentDefinitionNode)]
    return {one.name.value: one for one in found}


def charge(call: Call, cost: Cost) -> None:
    """Take the points from the caller's hour. Raises GraphQLError when they are spent."""
    limits = call.hub.limits(call.token, "graphql")
    if limits["remaining"] < cost.points:
        who = f"user ID {call.hub.person(call.login).id}" if not call.by_run else "installation"
        raise GraphQLError(LIMIT.format(who), extensions={"type": "RATE_LIMITED"})
    call.hub.spend(call.token, cost.points, "graphql")


def _reply(call: Call, body: dict[str, Any]) -> Reply:
    limits = call.hub.limits(call.token, "graphql")
    headers = {f"X-RateLimit-{name.capitalize()}": str(value) for name, value in limits.items()}
    return Reply(body, 200, headers | {"X-RateLimit-Resource": "graphql"})


def _shown(error: GraphQLError) -> dict[str, Any]:
    """GitHub's form of an error: its type first, then where and what."""
    if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
        traceback.print_exception(error.original_error)
    body: dict[str, Any] = dict(error.formatted)
    unknown = _UNKNOWN.match(error.message)
    if unknown:
        name, kind = unknown.groups()
        more = {"code": "undefinedField", "typeName": kind, "fieldName": name}
        return body | {"message": f"Field '{name}' doesn't exist on type '{kind}'", "extensions": more}
    word = (body.pop("extensions", None) or {}).get("type")
    return ({"type": word} if word else {}) | body
