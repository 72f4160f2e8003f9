"""Global ids: the same opaque text that the REST API calls `node_id`, and what stands behind one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.http import ApiError
from bot.sandbox.shapes.basics import organization_id
from bot.sandbox.store import Repository

Finder = Callable[[Context, str], Thing | None]


def found_by(at: Context, node_id: str) -> Thing | None:
    """The object of an id, None when it is gone or the caller may not see it."""
    try:
        kind, _, name = base64.b64decode(node_id, validate=True).decode().partition(":")
    except ValueError:
        return None
    found = FINDERS[kind](at, name) if kind in FINDERS else None
    return found if found is None or found.home is None or at.role(found.home) != "none" else None


def must_find(at: Context, node_id: str, *kinds: str) -> Thing:
    """As `found_by`. Raises ApiError when there is none, or it is of another kind."""
    found = found_by(at, node_id)
    if found is None or (kinds and found.kind not in kinds):
        raise ApiError(404, f"Could not resolve to a node with the global id of '{node_id}'")
    return found


def _in_repositories(kind: str, items: Callable[[Repository], Iterable[Any]]) -> Finder:
    """Finds by number among what every repository has."""

    def find(at: Context, name: str) -> Thing | None:
        for home in at.hub.data.repositories.values():
            for one in items(home):
                if str(one.id) == name:
                    return Thing(kind, one, home)
        return None

    return find


def _account(at: Context, name: str) -> Thing | None:
    for person in at.hub.data.people.values():
        if str(person.id) == name:
            return at.person(person)
    owners = {one.owner for one in at.hub.data.repositories.values()}
    return next((at.owner(one) for one in owners if str(organization_id(one)) == name), None)


def _repository(at: Context, name: str) -> Thing | None:
    found = [one for one in at.hub.data.repositories.values() if str(one.id) == name]
    return Thing("Repository", found[0], found[0]) if found else None


def _issue(at: Context, name: str) -> Thing | None:
    found = _in_repositories("Issue", lambda home: home.issues.values())(at, name)
    return Thing("PullRequest", found.value, found.home) if found and found.value.pull else found


def _commit(at: Context, name: str) -> Thing | None:
    for home in at.hub.data.repositories.values():
        found = at.hub.bare(home).object(name)
        if found is not None and found.type_str == "commit":
            return Thing("Commit", found, home)
    return None


def _ref(at: Context, name: str) -> Thing | None:
    number, _, full = name.partition(":")
    home = _repository(at, number)
    sha = at.hub.bare(home.repo).ref(full) if home else None
    return Thing("Ref", (sha, full), home.repo) if home and sha else None


def _team(at: Context, name: str) -> Thing | None:
    found = at.hub.data.teams.get(name)
    return Thing("Team", found) if found else None


def _run(kind: str) -> Finder:
    def find(at: Context, name: str) -> Thing | None:
        for run in at.hub.data.runs:
            if str(run.id) == name:
                return Thing(kind, run, at.hub.repository(run.repository))
        return None

    return find


def _job(at: Context, name: str) -> Thing | None:
    for run in at.hub.data.runs:
        for job in run.jobs:
            if str(job.id) == name:
                return Thing("CheckRun", (run, job), at.hub.repository(run.repository))
    return None


FINDERS: dict[str, Finder] = {
    "User": _account,
    "Repository": _repository,
    "Issue": _issue,
    "PullRequest": _issue,
    "IssueComment": _in_repositories("IssueComment", lambda home: home.comments.values()),
    "PullRequestReview": _in_repositories("PullRequestReview", lambda home: home.reviews.values()),
    "Label": _in_repositories("Label", lambda home: home.labels.values()),
    "Reaction": _in_repositories("Reaction", lambda home: home.reactions),
    "MergeQueueEntry": _in_repositories("MergeQueueEntry", lambda home: home.queue),
    "Release": _in_repositories("Release", lambda home: home.releases.values()),
    "StatusContext": _in_repositories("StatusContext", lambda home: home.statuses),
    "Commit": _commit,
    "Ref": _ref,
    "Team": _team,
    "WorkflowRun": _run("WorkflowRun"),
    "CheckSuite": _run("CheckSuite"),
    "CheckRun": _job,
}
