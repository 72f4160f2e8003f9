"""Which workflows an event starts, at which commit: GitHub's filters, which the engine does not know."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bot.sandbox.bare import Bare
from bot.sandbox.hub import Happening, Hub
from bot.sandbox.store import Repository
from bot.sandbox.workflows import Workflow, read_workflows

ZERO = "0" * 40
# https://docs.github.com/actions/reference/events-that-trigger-workflows: activity types when `types:` is left out
DEFAULT_TYPES: dict[str, tuple[str, ...]] = {
    "pull_request": ("opened", "synchronize", "reopened"),
    "pull_request_target": ("opened", "synchronize", "reopened"),
    "merge_group": ("checks_requested",),
    "workflow_run": ("requested", "in_progress", "completed"),
}
FROM_DEFAULT_BRANCH = (
    "issue_comment",
    "issues",
    "pull_request_target",
    "repository_dispatch",
    "schedule",
    "status",
    "workflow_run",
    "label",
)
BY_RUN = ("workflow_dispatch", "repository_dispatch")  # all that GITHUB_TOKEN may start


@dataclass(frozen=True)
class Start:
    """One workflow to run: `event` as the workflow knows it, `sha` and `ref` as GITHUB_SHA and GITHUB_REF."""

    workflow: Workflow
    event: str
    sha: str
    ref: str
    payload: dict[str, Any]
    untrusted: bool = False


def starts(hub: Hub, happening: Happening) -> list[Start]:
    """Every workflow that the event starts."""
    if happening.by_run and happening.event not in BY_RUN:
        return []
    repository = hub.repository(happening.repository)
    if repository.parent is not None or not repository.switches.actions.enabled:
        return []  # workflows of a fork are off until its owner turns them on
    names = [happening.event]
    if happening.event == "pull_request":
        names.append("pull_request_target")
    return [start for name in names for start in _starts(hub, repository, name, happening)]


def _starts(hub: Hub, repository: Repository, event: str, happening: Happening) -> list[Start]:
    bare, payload = hub.bare(repository), happening.payload
    place = commit_of(bare, repository, event, payload)
    if place is None:
        return []
    sha, ref = place
    files = read_workflows(bare, sha)
    found = []
    for workflow in files.values():
        if event not in workflow.triggers or workflow.path in repository.workflow_states:
            continue
        if _wanted(bare, event, workflow.triggers[event] or {}, payload, workflow):
            found.append(Start(workflow, event, sha, ref, payload, untrusted=_from_fork(event, payload)))
    return found


def commit_of(bare: Bare, repository: Repository, event: str, payload: dict[str, Any]) -> tuple[str, str] | None:
    """(sha, ref) from which an event's workflows are read and run, None when it starts nothing."""
    default = f"refs/heads/{repository.default_branch}"
    if event in FROM_DEFAULT_BRANCH:
        return _at(bare, default)
    if event in ("pull_request", "pull_request_review", "pull_request_review_comment"):
        number = payload["pull_request"]["number"]
        merge = f"refs/pull/{number}/merge"
        if payload["pull_request"].get("merged_at") or payload.get("action") == "closed":
            return _at(bare, merge) or _at(bare, default)
        # no merge commit means a conflict, for which GitHub starts no pull_request workflow
        return _at(bare, merge) if event != "pull_request" or payload["pull_request"]["mergeable"] else None
    if event == "push":
        return None if payload["after"] == ZERO else (_commit(bare, payload["after"]), payload["ref"])
    if event == "workflow_dispatch":
        return _at(bare, payload["ref"])
    if event == "merge_group":
        return payload["merge_group"]["head_sha"], payload["merge_group"]["head_ref"]
    if event == "release":
        return _at(bare, f"refs/tags/{payload['release']['tag_name']}")  # a draft has no tag yet
    if event in ("deployment", "deployment_status"):
        return payload["deployment"]["sha"], payload["deployment"]["ref"]
    return _at(bare, default)


def _at(bare: Bare, ref: str) -> tuple[str, str] | None:
    sha = bare.ref(ref)
    return (_commit(bare, sha), ref) if sha else None


def _commit(bare: Bare, sha: str) -> str:
    found = bare.commit(sha)
    return str(found.id) if found is not None else sha


def _from_fork(event: str, payload: dict[str, Any]) -> bool:
    if event not in ("pull_request", "pull_request_review"):
        return False
    head, base = payload["pull_request"]["head"]["repo"], payload["pull_request"]["base"]["repo"]
    return head is None or head["full_name"] != base["full_name"]


def _wanted(bare: Bare, event: str, filters: dict[str, Any], payload: dict[str, Any], workflow: Workflow) -> bool:
    if event == "schedule":
        return payload["schedule"] in crons(workflow)
    types = _list(filters.get("types")) or list(DEFAULT_TYPES.get(event, ()))
    if types and payload.get("action") not in types:
        return False
    if event == "workflow_run":
        run = payload["workflow_run"]
        names, own = _list(filters.get("workflows")), run["name"]
        return (not names or matches(names, own)) and _branch(filters, run["head_branch"] or "")
    if event == "push":
        return _push(bare, filters, payload)
    if event in ("pull_request", "pull_request_target"):
        pull = payload["pull_request"]
        base, head = pull["base"]["sha"], pull["head"]["sha"]
        return _branch(filters, pull["base"]["ref"]) and _paths(
            filters, lambda: bare.paths_changed(bare.merge_base(base, head), head)
        )
    if event == "merge_group":
        return _branch(filters, payload["merge_group"]["base_ref"].removeprefix("refs/heads/"))
    if event == "workflow_dispatch":
        return bool(payload["workflow"] == workflow.path)
    return True


def crons(workflow: Workflow) -> list[str]:
    """The cron lines of a workflow file, empty when it has no schedule."""
    given: Any = workflow.triggers.get("schedule") or []
    return [str(one.get("cron")) for one in given]


def _push(bare: Bare, filters: dict[str, Any], payload: dict[str, Any]) -> bool:
    ref: str = payload["ref"]
    names_branches, names_tags = _has(filters, "branches"), _has(filters, "tags")
    if ref.startswith("refs/tags/"):
        if names_branches and not names_tags:
            return False
        return _filtered(filters, "tags", ref.removeprefix("refs/tags/"))  # paths do not apply to tags
    if names_tags and not names_branches:
        return False
    before = None if payload["before"] == ZERO else payload["before"]
    return _branch(filters, ref.removeprefix("refs/heads/")) and _paths(
        filters, lambda: bare.paths_changed(before, payload["after"])
    )


def _branch(filters: dict[str, Any], name: str) -> bool:
    return _filtered(filters, "branches", name)


def _has(filters: dict[str, Any], key: str) -> bool:
    return key in filters or f"{key}-ignore" in filters


def _filtered(filters: dict[str, Any], key: str, name: str) -> bool:
    wanted, ignored = _list(filters.get(key)), _list(filters.get(f"{key}-ignore"))
    return (not wanted or matches(wanted, name)) and not (ignored and matches(ignored, name))


def _paths(filters: dict[str, Any], changed: Any) -> bool:
    wanted, ignored = _list(filters.get("paths")), _list(filters.get("paths-ignore"))
    if not wanted and not ignored:
        return True
    names = changed()
    if wanted and not any(matches(wanted, name) for name in names):
        return False
    return not ignored or not all(matches(ignored, name) for name in names)


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(item) for item in value or []]


def matches(patterns: list[str], name: str) -> bool:
    """GitHub's filter patterns in order: the last that matches decides, `!` takes back."""
    hit = False
    for pattern in patterns:
        negative = pattern.startswith("!")
        if _glob(pattern.removeprefix("!")).fullmatch(name):
            hit = not negative
    return hit


def _glob(pattern: str) -> re.Pattern[str]:
    """https://docs.github.com/actions/reference/workflow-syntax-for-github-actions#filter-pattern-cheat-sheet"""
    out, index = "", 0
    while index < len(pattern):
        rest, letter = pattern[index:], pattern[index]
        if rest.startswith("**/"):
            out, index = out + "(?:.*/)?", index + 3
        elif rest.startswith("**"):
            out, index = out + ".*", index + 2
        elif letter == "*":
            out, index = out + "[^/]*", index + 1
        elif letter in "?+":
            out, index = out + letter, index + 1  # zero or one, one or more, of what stands before
        elif letter == "[" and "]" in rest:
            end = rest.index("]")
            out, index = out + rest[: end + 1], index + end + 1
        elif letter == "\\" and len(rest) > 1:
            out, index = out + re.escape(rest[1]), index + 2
        else:
            out, index = out + re.escape(letter), index + 1
    return re.compile(out, re.DOTALL)
