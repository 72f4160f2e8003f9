"""Issues, what pull requests have in common with them, and lists of both."""

from __future__ import annotations

from typing import Any

from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields.interface import (
    Args,
    Field,
    classic_projects,
    constant,
    copied,
    empty,
    enum,
    ordered,
)
from bot.sandbox.graphql.fields.timeline import timeline
from bot.sandbox.graphql.fields.written import written
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.http import not_found
from bot.sandbox.shapes import issues as shapes
from bot.sandbox.shapes.basics import iso
from bot.sandbox.store import Issue, Repository


def thing_of(found: Issue, home: Repository) -> Thing:
    """An issue, or a pull request when it is one."""
    return Thing("PullRequest" if found.pull else "Issue", found, home)


def need(at: Context, found: Issue | None = None) -> None:
    """Raises ApiError unless the token may read issues, or pull requests when it is one of those."""
    at.need("pull-requests" if found is not None and found.pull else "issues")


def rest(thing: Thing, at: Context) -> dict[str, Any]:
    """The issue as the REST API shows it."""
    found: dict[str, Any] = at.once("issue", thing, lambda: shapes.issue(at.links, thing.repo, thing.value))
    return found


def state(thing: Thing, _at: Context, _args: Args) -> str:
    """OPEN, CLOSED, or MERGED for a pull request."""
    pull = thing.value.pull
    return "MERGED" if pull and pull.merged_at else str(thing.value.state).upper()


# --- lists

_ORDER = {
    "CREATED_AT": lambda one: (one.value.created_at, one.value.number),
    "UPDATED_AT": lambda one: (one.value.updated_at, one.value.number),
    "COMMENTS": lambda one: sum(comment.number == one.value.number for comment in one.repo.comments.values()),
}


def issue(thing: Thing, at: Context, args: Args) -> Thing:
    """Raises ApiError for a pull request's number, too."""
    found = thing.repo.issues.get(args["number"])
    if found is None or found.pull:
        raise not_found()
    need(at, found)
    return thing_of(found, thing.repo)


def pull_request(thing: Thing, at: Context, args: Args) -> Thing:
    found = thing.repo.issues.get(args["number"])
    if found is None or not found.pull:
        raise not_found()
    need(at, found)
    return thing_of(found, thing.repo)


def either(thing: Thing, at: Context, args: Args) -> Thing:
    found = thing.repo.issues.get(args["number"])
    if found is None:
        raise not_found()
    need(at, found)
    return thing_of(found, thing.repo)


def all_issues(thing: Thing, at: Context, args: Args) -> Connection:
    need(at)
    filters = args.get("filterBy") or {}
    states = args.get("states") or filters.get("states")
    labels = set(args.get("labels") or filters.get("labels") or ())
    found = [thing_of(one, thing.repo) for one in thing.repo.issues.values() if not one.pull]
    kept = [
        one
        for one in found
        if (not states or state(one, at, {}) in states)
        and (not labels or labels & set(one.value.labels))
        and filters.get("createdBy") in (None, one.value.author)
        and (filters.get("assignee") in (None, "*") or filters["assignee"] in one.value.assignees)
        and f"@{filters.get('mentioned') or ''}" in f"{one.value.body or ''}@"
    ]
    return Connection(ordered(kept, args, _ORDER), args)


def all_pulls(thing: Thing, at: Context, args: Args) -> Connection:
    at.need("pull-requests")
    found = [thing_of(one, thing.repo) for one in thing.repo.issues.values() if one.pull]
    return _pulls(found, at, args)


def _pulls(found: list[Thing], at: Context, args: Args) -> Connection:
    labels = set(args.get("labels") or ())
    kept = [
        one
        for one in found
        if (not args.get("states") or state(one, at, {}) in args["states"])
        and (not labels or labels & set(one.value.labels))
        and args.get("baseRefName") in (None, one.value.pull.base_ref)
        and args.get("headRefName") in (None, one.value.pull.head_ref)
    ]
    return Connection(ordered(kept, args, _ORDER), args)


def of_head(ref: Thing, at: Context, args: Args) -> Connection:
    """Pull requests whose head is this branch, wherever they were opened."""
    at.need("pull-requests")
    name = ref.key.removeprefix("refs/heads/")
    found = [
        thing_of(one, home)
        for home in at.hub.data.repositories.values()
        for one in home.issues.values()
        if one.pull and (one.pull.head_repository, one.pull.head_ref) == (ref.repo.full_name, name)
    ]
    return _pulls(found, at, args)


# --- fields of both


def _comments(thing: Thing, _at: Context, args: Args) -> Connection:
    found = [one for one in thing.repo.comments.values() if one.number == thing.value.number]
    things = [Thing("IssueComment", one, thing.repo) for one in found]
    return Connection(ordered(things, args, {"UPDATED_AT": lambda one: one.value.updated_at}), args)


def _labels(thing: Thing, _at: Context, args: Args) -> Connection:
    found = [thing.repo.labels[name] for name in thing.value.labels if name in thing.repo.labels]
    return Connection([Thing("Label", one, thing.repo) for one in found], args)


def _assignees(thing: Thing, at: Context, args: Args) -> Connection:
    found = [at.account(login) for login in thing.value.assignees]
    return Connection([one for one in found if one is not None], args)


def _participants(thing: Thing, at: Context, args: Args) -> Connection:
    spoke: list[Any] = [*thing.repo.comments.values(), *thing.repo.reviews.values()]
    names = dict.fromkeys([thing.value.author, *(one.author for one in spoke if one.number == thing.value.number)])
    found = [at.account(login) for login in names]
    return Connection([one for one in found if one is not None], args)


BOTH: dict[str, Field] = {
    "number": lambda thing, _at, _: thing.value.number,
    "title": lambda thing, _at, _: thing.value.title,
    "titleHTML": lambda thing, _at, _: thing.value.title,
    "state": state,
    "closed": lambda thing, _at, _: thing.value.state == "closed",
    "updatedAt": lambda thing, _at, _: iso(thing.value.updated_at),
    "activeLockReason": lambda thing, at, _: enum(rest(thing, at)["active_lock_reason"]),
    "comments": _comments,
    "labels": _labels,
    "assignees": _assignees,
    "participants": _participants,
    "milestone": constant(None),
    "projectCards": classic_projects,
    "projectItems": empty,
    "isReadByViewer": constant(True),
    "viewerSubscription": constant("UNSUBSCRIBED"),
    "viewerCanSubscribe": constant(True),
} | copied(rest, {"locked": "locked", "closedAt": "closed_at"})

FIELDS: dict[str, dict[str, Field]] = {
    "Issue": written("Issue", "created_at", lambda thing, at, _: rest(thing, at)["html_url"])
    | BOTH
    | {
        "stateReason": lambda thing, _at, _: enum(thing.value.state_reason),
        "isPinned": constant(False),
        "closedByPullRequestsReferences": empty,
        "linkedBranches": empty,
        "timelineItems": timeline,
        "trackedIssues": empty,
    },
    "Ref": {"associatedPullRequests": of_head},
}
