"""A list that is read in pages by cursors: `first` after, or `last` before."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError

from bot.sandbox.graphql.thing import Thing


@dataclass(frozen=True)
class Connection:
    """`items` are all there are, in order; `args` says which page; `extra` are further fields of this connection.

    `edges` are further fields of each item's edge, by position.
    """

    items: Sequence[Any]
    args: Mapping[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)
    edges: Sequence[Mapping[str, Any]] = ()

    def answer(self, name: str) -> Any:
        """A field of the connection."""
        if name == "totalCount":
            return len(self.items)
        start, end = self._page()
        if name == "nodes":
            return list(self.items[start:end])
        if name == "edges":
            return [self._edge(index) for index in range(start, end)]
        if name == "pageInfo":
            return {
                "startCursor": self._cursor(start) if end > start else None,
                "endCursor": self._cursor(end - 1) if end > start else None,
                "hasNextPage": end < len(self.items),
                "hasPreviousPage": start > 0,
            }
        return self.extra[name]

    def _edge(self, index: int) -> dict[str, Any]:
        more = self.edges[index] if self.edges else {}
        return {"node": self.items[index], "cursor": self._cursor(index), **more}

    def _page(self) -> tuple[int, int]:
        start, end = 0, len(self.items)
        if self.args.get("after"):
            start = self._position(self.args["after"]) + 1
        if self.args.get("before"):
            end = max(start, self._position(self.args["before"]))
        if self.args.get("first") is not None:
            end = min(end, start + self.args["first"])
        if self.args.get("last") is not None:
            start = max(start, end - self.args["last"])
        return start, max(start, end)

    def _cursor(self, index: int) -> str:
        return base64.b64encode(f"cursor:{index}:{_name(self.items[index])}".encode()).decode()

    def _position(self, cursor: str) -> int:
        """Where the item of a cursor is by now; where it was when it is gone."""
        try:
            word, index, name = base64.b64decode(cursor).decode().split(":", 2)
            was = int(index) if word == "cursor" else -1
        except ValueError:
            was = -1
        if was < 0:
            words = f"`{cursor}` does not appear to be a valid cursor."
            raise GraphQLError(words, extensions={"type": "INVALID_CURSOR_ARGUMENTS"})
        if was < len(self.items) and _name(self.items[was]) == name:
            return was
        return next((at for at, item in enumerate(self.items) if _name(item) == name), was)


def _name(item: Any) -> str:
    """What tells an item from its neighbours."""
    return item.key if isinstance(item, Thing) else str(item)
