"""The merge queue of a branch, who waits in it, and getting in and out."""

from __future__ import annotations

from typing import Any

from bot.sandbox import merge_queue, rules
from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields.interface import Args, Field, constant, enum, path_of
from bot.sandbox.graphql.fields.refs import git_object
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.shapes.basics import iso, node
from bot.sandbox.store import Repository
from bot.sandbox.switches import QueueEntry

# field of MergeQueueConfiguration -> parameter of the rule
_SETTINGS = {
    "checkResponseTimeout": "check_response_timeout_minutes",
    "maximumEntriesToBuild": "max_entries_to_build",
    "maximumEntriesToMerge": "max_entries_to_merge",
    "minimumEntriesToMerge": "min_entries_to_merge",
    "minimumEntriesToMergeWaitTime": "min_entries_to_merge_wait_minutes",
}


def queue_of(home: Repository, at: Context, branch: str) -> Thing | None:
    """None when no rule asks for a queue."""
    found = rules.rule_of(at.hub, home, branch, "merge_queue")
    if found is None and merge_queue.entries_of(home, branch):
        found = {}  # a group that was made by hand
    return Thing("MergeQueue", (found, branch), home) if found is not None else None


def entry_of(home: Repository, number: int) -> Thing | None:
    """Where a pull request stands, None when it does not wait."""
    found = merge_queue.entry_of(home, number)
    return Thing("MergeQueueEntry", found, home) if found else None


def _of_repository(thing: Thing, at: Context, args: Args) -> Thing | None:
    return queue_of(thing.repo, at, args.get("branch") or thing.repo.default_branch)


def _entries(thing: Thing, _at: Context, args: Args) -> Connection:
    found = merge_queue.entries_of(thing.repo, thing.key)
    return Connection([Thing("MergeQueueEntry", one, thing.repo) for one in found], args)


def _page(thing: Thing, at: Context, _args: Args) -> str:
    return f"{at.links.page(thing.repo)}/queue/{thing.key}"


def _configuration(thing: Thing, _at: Context, _args: Args) -> dict[str, Any]:
    given = thing.value[0]
    body = {name: given.get(key) for name, key in _SETTINGS.items()}
    return body | {
        "mergeMethod": enum(given.get("merge_method", "merge")),
        "mergingStrategy": enum(given.get("grouping_strategy", "ALLGREEN")),
    }


def _state(thing: Thing, _at: Context, _args: Args) -> str:
    """Its group is built and waits for checks, or it waits for its group."""
    return "AWAITING_CHECKS" if thing.value.ref else "QUEUED"


def _position(thing: Thing, _at: Context, _args: Args) -> int:
    line = [one.id for one in merge_queue.entries_of(thing.repo, thing.value.base)]
    return line.index(thing.value.id) + 1


def _commit(name: str) -> Field:
    def field(thing: Thing, at: Context, _args: Args) -> Thing | None:
        sha = getattr(thing.value, name)
        return git_object(thing, at, sha) if sha else None

    return field


def _pull(thing: Thing, _at: Context, _args: Args) -> Thing:
    entry: QueueEntry = thing.value
    return Thing("PullRequest", thing.repo.issues[entry.number], thing.repo)


FIELDS: dict[str, dict[str, Field]] = {
    "Repository": {"mergeQueue": _of_repository},
    "PullRequest": {
        "isMergeQueueEnabled": lambda thing, at, _: queue_of(thing.repo, at, thing.value.pull.base_ref) is not None,
        "isInMergeQueue": lambda thing, _at, _args: entry_of(thing.repo, thing.value.number) is not None,
        "mergeQueue": lambda thing, at, _: queue_of(thing.repo, at, thing.value.pull.base_ref),
        "mergeQueueEntry": lambda thing, _at, _args: entry_of(thing.repo, thing.value.number),
    },
    "MergeQueue": {
        "id": lambda thing, _at, _: node("MergeQueue", f"{thing.repo.id}:{thing.key}"),
        "repository": lambda thing, _at, _: Thing("Repository", thing.repo, thing.repo),
        "url": _page,
        "resourcePath": lambda thing, at, args: path_of(_page(thing, at, args), at),
        "entries": _entries,
        "configuration": _configuration,
        "nextEntryEstimatedTimeToMerge": constant(None),
    },
    "MergeQueueEntry": {
        "id": lambda thing, _at, _: node("MergeQueueEntry", thing.value.id),
        "state": _state,
        "position": _position,
        "enqueuedAt": lambda thing, _at, _: iso(thing.value.at),
        "enqueuer": lambda thing, at, _: at.account(thing.value.enqueuer),
        "baseCommit": _commit("base_sha"),
        "headCommit": _commit("sha"),
        "pullRequest": _pull,
        "mergeQueue": lambda thing, at, _: queue_of(thing.repo, at, thing.value.base),
        "jump": constant(False),
        "solo": constant(False),
        "estimatedTimeToMerge": constant(None),
    },
}
