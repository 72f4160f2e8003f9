"""What the tables are written with: a field is a function of the object, the query's context, and the arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLError

from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.thing import Thing

Args = Mapping[str, Any]
Field = Callable[[Any, Context, Args], Any]
Rest = Callable[[Thing, Context], Mapping[str, Any]]


def constant(value: Any) -> Field:
    """The same for every object, because the sandbox has nothing of the kind."""
    return lambda _thing, _at, _args: value


def empty(_thing: Thing, _at: Context, args: Args) -> Connection:
    """A list of what the sandbox does not have."""
    return Connection((), args)


def copied(rest: Rest, names: Mapping[str, str]) -> dict[str, Field]:
    """Fields that say what the REST API says under another name."""

    def one(key: str) -> Field:
        return lambda thing, at, _args: rest(thing, at)[key]

    return {name: one(key) for name, key in names.items()}


def path_of(url: str, at: Context) -> str:
    """The part of a page's address that follows the host."""
    return url.removeprefix(at.links.web)


def enum(word: str | None) -> str | None:
    """A word of the REST API as GraphQL writes it."""
    return word.upper().replace("-", "_").replace(" ", "_") if word else None


def classic_projects(thing: Thing, at: Context, args: Args) -> Connection:
    """github.com answers with an error since classic projects are gone; an enterprise server has none to show."""
    if at.is_enterprise:
        return empty(thing, at, args)
    words = (
        "Projects (classic) is being deprecated in favor of the new Projects experience, see: "
        "https://github.blog/changelog/2024-05-23-sunset-notice-projects-classic/."
    )
    raise GraphQLError(words)


def ordered(items: list[Any], args: Args, keys: Mapping[str, Callable[[Any], Any]]) -> list[Any]:
    """By `orderBy`, when the query has one: a field of `keys` and a direction."""
    order = args.get("orderBy")
    key = keys.get(order["field"]) if order else None
    return sorted(items, key=key, reverse=order["direction"] == "DESC") if order and key else items
