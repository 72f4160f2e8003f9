"""What a query may ask for, by GitHub's published rules: nodes, points, and pages of at most a hundred.

https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    value_from_ast_untyped,
)

NODE_LIMIT = 500_000
PAGE_LIMIT = 100


@dataclass
class Cost:
    """`nodes` may come back at most; `requests` are the lists that have to be read for them."""

    nodes: int = 0
    requests: int = 0

    @property
    def points(self) -> int:
        """One for each hundred lists that are read, at least one."""
        return max(1, round(self.requests / 100))


@dataclass
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    cost: Cost = field(default_factory=Cost)

    def selections(self, found: SelectionSetNode | None, parent: Any, times: int) -> None:
        """Add what these fields cost when there are `times` objects of the type `parent`."""
        for one, on in _fields(self, found, parent):
            if self._is_left_out(one):
                continue
            definition = getattr(on, "fields", {}).get(one.name.value)
            if definition is None:
                continue  # __typename and introspection cost nothing
            kind = get_named_type(definition.type)
            self.selections(one.selection_set, kind, self._many(one, str(kind), times))

    def _many(self, one: FieldNode, kind: str, times: int) -> int:
        """How many objects the field gives at most."""
        given = {argument.name.value: self._value(argument.value) for argument in one.arguments or ()}
        if one.name.value == "nodes" and isinstance(given.get("ids"), list):
            size = len(given["ids"])
        elif kind.endswith("Connection"):
            size = given.get("first") or given.get("last") or 0
            size = min(size, PAGE_LIMIT) if isinstance(size, int) else 0
            self.cost.requests += times
        else:
            return times
        if times * size > NODE_LIMIT:
            raise _too_many(
                f"By the time this query traverses to the {one.name.value} connection, it is requesting", times * size
            )
        self.cost.nodes += times * size
        return times * size

    def _is_left_out(self, one: FieldNode) -> bool:
        """By @include or @skip."""
        for found in one.directives or ():
            wanted = {"include": False, "skip": True}.get(found.name.value)
            if wanted is not None and [self._value(given.value) for given in found.arguments or ()] == [wanted]:
                return True
        return False

    def _value(self, value: Any) -> Any:
        return value_from_ast_untyped(value, dict(self.variables))


def _fields(walk: _Walk, found: SelectionSetNode | None, parent: Any) -> Iterator[tuple[FieldNode, Any]]:
    """Each field with the type that it is asked of."""
    for one in found.selections if found else ():
        if isinstance(one, FieldNode):
            yield one, parent
        elif isinstance(one, InlineFragmentNode):
            condition = one.type_condition
            yield from _fields(
                walk, one.selection_set, walk.schema.get_type(condition.name.value) if condition else parent
            )
        elif isinstance(one, FragmentSpreadNode):
            fragment = walk.fragments[one.name.value]
            yield from _fields(walk, fragment.selection_set, walk.schema.get_type(fragment.type_condition.name.value))


def cost_of(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> Cost:
    """What the operation costs at most. Raises GraphQLError when it may return more than NODE_LIMIT nodes."""
    walk = _Walk(schema, fragments, variables)
    walk.selections(operation.selection_set, schema.get_root_type(operation.operation), 1)
    if walk.cost.nodes > NODE_LIMIT:
        raise _too_many("This query requests", walk.cost.nodes)
    return walk.cost


def _too_many(start: str, n: int) -> GraphQLError:
    words = f"{start} up to {n:,} possible nodes which exceeds the maximum limit of {NODE_LIMIT:,}."
    return GraphQLError(words, extensions={"type": "MAX_NODE_LIMIT_EXCEEDED"})


def check_bounds(name: str, args: Mapping[str, Any]) -> None:
    """Raises GraphQLError when a connection whose objects are asked for has no page size, or one above the limit."""
    sizes = {word: args[word] for word in ("first", "last") if args.get(word) is not None}
    if not sizes:
        words = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
        raise GraphQLError(words, extensions={"type": "MISSING_PAGINATION_BOUNDARIES"})
    for word, size in sizes.items():
        if size > PAGE_LIMIT:
            words = f"Requesting {size} records on the `{name}` connection exceeds the `{word}` limit of 100 records."
            raise GraphQLError(words, extensions={"type": "EXCESSIVE_PAGINATION"})
        if size < 0:
            words = f"`{word}` on the `{name}` connection cannot be less than zero."
            raise GraphQLError(words, extensions={"type": "ARGUMENT_ERROR"})
