"""What mutations have in common: where the REST API has a thing, and what was given under its names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.nodes import must_find
from bot.sandbox.graphql.thing import Thing

Given = Mapping[str, Any]
Payload = dict[str, Any]
Mutation = Callable[[Context, Given], Payload]


def home_of(thing: Thing) -> str:
    return f"/repos/{thing.repo.full_name}"


def issue_path(thing: Thing) -> str:
    """Where the REST API has an issue or pull request."""
    return f"{home_of(thing)}/issues/{thing.value.number}"


def pull_of(at: Context, given: Given, name: str = "pullRequestId") -> tuple[Thing, str]:
    """The pull request that the input names, and where the REST API has it. Raises ApiError when there is none."""
    found = must_find(at, given[name], "PullRequest")
    return found, f"{home_of(found)}/pulls/{found.value.number}"


def kept(given: Given, names: Mapping[str, str]) -> dict[str, Any]:
    """What was given, under the REST API's names."""
    return {key: given[name] for name, key in names.items() if given.get(name) is not None}


def edge(thing: Thing) -> dict[str, Any]:
    return {"node": thing, "cursor": thing.key}


def logins(at: Context, ids: list[str]) -> list[str]:
    return [must_find(at, one, "User").value.login for one in ids]


def edit(at: Context, found: Thing, given: Given) -> None:
    """Labels and assignees, which issues and pull requests have alike."""
    body: dict[str, Any] = {}
    if given.get("labelIds") is not None:
        body["labels"] = [must_find(at, one, "Label").value.name for one in given["labelIds"]]
    if given.get("assigneeIds") is not None:
        body["assignees"] = logins(at, given["assigneeIds"])
    if body:
        at.rest("PATCH", issue_path(found), body)
