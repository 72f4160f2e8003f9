"""What is known about a commit's quality: statuses, check runs, and the workflow runs behind them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bot.sandbox import rules
from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields.interface import Args, Field, constant, empty, enum, path_of
from bot.sandbox.graphql.nodes import found_by
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.shapes import actions as shapes
from bot.sandbox.shapes.basics import ACTIONS_APP, iso, node
from bot.sandbox.shapes.commits import latest_statuses
from bot.sandbox.store import Run, Status

_BAD = {"FAILURE", "ERROR", "CANCELLED", "TIMED_OUT", "ACTION_REQUIRED", "STARTUP_FAILURE"}
_GOING = {"PENDING", "QUEUED", "IN_PROGRESS", "EXPECTED", "WAITING", "REQUESTED"}


def runs_of(commit: Thing, at: Context) -> list[Run]:
    """Workflow runs that are shown at the commit."""
    name, sha = commit.repo.full_name, str(commit.value.id)
    return [one for one in at.hub.data.runs if one.repository == name and one.sha == sha]


def _check_runs(commit: Thing, at: Context) -> list[Thing]:
    return [Thing("CheckRun", (run, job), commit.repo) for run in runs_of(commit, at) for job in run.jobs]


def _statuses(commit: Thing) -> list[Thing]:
    found = latest_statuses(commit.repo, str(commit.value.id))
    return [Thing("StatusContext", one, commit.repo) for one in found]


def _combined(states: set[str]) -> str:
    return "FAILURE" if states & _BAD else "PENDING" if states & _GOING else "SUCCESS"


def _state_of(thing: Thing) -> str:
    if thing.kind == "StatusContext":
        return str(thing.value.state).upper()
    job = thing.value[1]
    return str(enum(job.result)) if job.result else "IN_PROGRESS"


def rollup(commit: Thing, at: Context) -> Thing | None:
    """Statuses and check runs together, None when there are none."""
    at.need("statuses", "checks")
    contexts = [*_check_runs(commit, at), *_statuses(commit)]
    return Thing("StatusCheckRollup", (contexts, commit), commit.repo) if contexts else None


def status(commit: Thing, at: Context, _args: Args) -> Thing | None:
    at.need("statuses")
    contexts = _statuses(commit)
    return Thing("Status", (contexts, commit), commit.repo) if contexts else None


def _contexts(thing: Thing, _at: Context, args: Args) -> Connection:
    found = thing.value[0]
    states = {
        kind: Counter(_state_of(one) for one in found if one.kind == kind) for kind in ("CheckRun", "StatusContext")
    }
    counts: dict[str, Any] = {}
    for kind, name in (("CheckRun", "checkRun"), ("StatusContext", "statusContext")):
        counts[f"{name}Count"] = states[kind].total()
        counts[f"{name}CountsByState"] = [{"state": one, "count": n} for one, n in states[kind].items()]
    return Connection(found, args, extra=counts)


def _is_required(thing: Thing, at: Context, args: Args) -> bool:
    """Whether the rules of a pull request's base name the check."""
    if args.get("pullRequestId"):
        pull = found_by(at, args["pullRequestId"])
        issue = pull.value if pull else None
    else:
        issue = thing.repo.issues.get(args.get("pullRequestNumber") or 0)
    if issue is None or issue.pull is None:
        return False
    name = thing.value.context if thing.kind == "StatusContext" else shapes.shown(*thing.value)
    wanted = rules.rules_of(at.hub, thing.repo, f"refs/heads/{issue.pull.base_ref}")
    named = [one["parameters"] for one in wanted if one["type"] == "required_status_checks"]
    return any(check["context"] == name for one in named for check in one["required_status_checks"])


# --- check runs, suites, workflow runs


def _job(thing: Thing, at: Context) -> dict[str, Any]:
    found: dict[str, Any] = at.once("rest", thing, lambda: shapes.job(at.links, thing.repo, *thing.value))
    return found


def _run(thing: Thing, at: Context) -> dict[str, Any]:
    found: dict[str, Any] = at.once("rest", thing, lambda: shapes.run(at.links, thing.repo, thing.value))
    return found


def check_suites(commit: Thing, at: Context, args: Args) -> Connection:
    at.need("checks")
    return Connection([_suite(one, commit) for one in runs_of(commit, at)], args)


def _suite(run: Run, near: Thing) -> Thing:
    return Thing("CheckSuite", run, near.repo)


def _commit(thing: Thing, at: Context, sha: str) -> Thing:
    return Thing("Commit", at.hub.bare(thing.repo).object(sha), thing.repo)


def _workflow(thing: Thing, _at: Context, _args: Args) -> Thing:
    run: Run = thing.value
    return Thing("Workflow", (run.name, run.workflow), thing.repo)


def _workflow_rest(thing: Thing, at: Context) -> dict[str, Any]:
    name, path = thing.value
    found: dict[str, Any] = shapes.workflow(at.links, thing.repo, path, name)
    return found


def _workflow_runs(thing: Thing, at: Context, args: Args) -> Connection:
    runs = [one for one in reversed(at.hub.data.runs) if one.workflow == thing.value[1]]
    return Connection([Thing("WorkflowRun", one, thing.repo) for one in runs], args)


def _branch(thing: Thing, at: Context, _args: Args) -> Thing | None:
    name = f"refs/heads/{thing.value.branch}"
    sha = at.hub.bare(thing.repo).ref(name)
    return Thing("Ref", (sha, name), thing.repo) if sha else None


def _summary(thing: Thing, _at: Context, _args: Args) -> str | None:
    return "\n".join(thing.value[1].summaries) or None


_APP = {"id": node("App", ACTIONS_APP), "databaseId": ACTIONS_APP, "name": "GitHub Actions", "slug": "github-actions"}

_CHECK_RUN: dict[str, Field] = {
    "id": lambda thing, _at, _: node("CheckRun", thing.value[1].id),
    "databaseId": lambda thing, _at, _: thing.value[1].id,
    "name": lambda thing, _at, _: shapes.shown(*thing.value),
    "status": lambda thing, at, _: enum(_job(thing, at)["status"]),
    "conclusion": lambda thing, at, _: enum(_job(thing, at)["conclusion"]),
    "startedAt": lambda thing, at, _: _job(thing, at)["started_at"],
    "completedAt": lambda thing, at, _: _job(thing, at)["completed_at"],
    "detailsUrl": lambda thing, at, _: _job(thing, at)["html_url"],
    "url": lambda thing, at, _: _job(thing, at)["html_url"],
    "permalink": lambda thing, at, _: _job(thing, at)["html_url"],
    "resourcePath": lambda thing, at, _: path_of(_job(thing, at)["html_url"], at),
    "externalId": lambda thing, _at, _: str(thing.value[1].id),
    "checkSuite": lambda thing, _at, _: _suite(thing.value[0], thing),
    "repository": lambda thing, _at, _: Thing("Repository", thing.repo, thing.repo),
    "isRequired": _is_required,
    "summary": _summary,
    "text": constant(None),
    "title": constant(None),
    "annotations": empty,
    "steps": empty,
}

_SUITE: dict[str, Field] = {
    "id": lambda thing, _at, _: node("CheckSuite", thing.value.id),
    "databaseId": lambda thing, _at, _: thing.value.id + 1,
    "app": lambda _thing, _at, _: _APP,
    "branch": _branch,
    "commit": lambda thing, at, _: _commit(thing, at, thing.value.sha),
    "status": lambda thing, _at, _: enum(thing.value.status),
    "conclusion": lambda thing, _at, _: enum(thing.value.conclusion),
    "checkRuns": lambda thing, _at, args: Connection(
        [Thing("CheckRun", (thing.value, job), thing.repo) for job in thing.value.jobs], args
    ),
    "workflowRun": lambda thing, _at, _: Thing("WorkflowRun", thing.value, thing.repo),
    "repository": lambda thing, _at, _: Thing("Repository", thing.repo, thing.repo),
    "createdAt": lambda thing, _at, _: iso(thing.value.created_at),
    "updatedAt": lambda thing, at, _: _run(thing, at)["updated_at"],
    "url": lambda thing, at, _: _run(thing, at)["html_url"],
    "resourcePath": lambda thing, at, _: path_of(_run(thing, at)["html_url"], at),
}

_WORKFLOW_RUN: dict[str, Field] = {
    "id": lambda thing, _at, _: node("WorkflowRun", thing.value.id),
    "databaseId": lambda thing, _at, _: thing.value.id,
    "runNumber": lambda thing, _at, _: thing.value.number,
    "event": lambda thing, _at, _: thing.value.event,
    "createdAt": lambda thing, _at, _: iso(thing.value.created_at),
    "updatedAt": lambda thing, at, _: _run(thing, at)["updated_at"],
    "url": lambda thing, at, _: _run(thing, at)["html_url"],
    "resourcePath": lambda thing, at, _: path_of(_run(thing, at)["html_url"], at),
    "checkSuite": lambda thing, _at, _: _suite(thing.value, thing),
    "workflow": _workflow,
    "pendingDeploymentRequests": empty,
    "deploymentReviews": empty,
}

_WORKFLOW: dict[str, Field] = {
    "id": lambda thing, at, _: _workflow_rest(thing, at)["node_id"],
    "databaseId": lambda thing, at, _: _workflow_rest(thing, at)["id"],
    "name": lambda thing, _at, _: thing.value[0],
    "state": lambda thing, at, _: enum(_workflow_rest(thing, at)["state"]),
    "createdAt": lambda thing, at, _: _workflow_rest(thing, at)["created_at"],
    "updatedAt": lambda thing, at, _: _workflow_rest(thing, at)["updated_at"],
    "url": lambda thing, at, _: _workflow_rest(thing, at)["html_url"],
    "resourcePath": lambda thing, at, _: path_of(_workflow_rest(thing, at)["html_url"], at),
    "runs": _workflow_runs,
}


def _creator(thing: Thing, at: Context, _args: Args) -> Thing | None:
    found: Status = thing.value
    return at.account(found.creator)


_STATUS_CONTEXT: dict[str, Field] = {
    "id": lambda thing, _at, _: node("StatusContext", thing.value.id),
    "context": lambda thing, _at, _: thing.value.context,
    "state": lambda thing, _at, _: thing.value.state.upper(),
    "description": lambda thing, _at, _: thing.value.description,
    "targetUrl": lambda thing, _at, _: thing.value.target_url,
    "createdAt": lambda thing, _at, _: iso(thing.value.created_at),
    "creator": _creator,
    "commit": lambda thing, at, _: _commit(thing, at, thing.value.sha),
    "avatarUrl": lambda _thing, at, _: f"{at.links.web}/avatars/0.svg",
    "isRequired": _is_required,
}

_SUM: dict[str, Field] = {
    "id": lambda thing, _at, _: node(thing.kind, str(thing.value[1].value.id)),
    "state": lambda thing, _at, _: _combined({_state_of(one) for one in thing.value[0]}),
    "commit": lambda thing, _at, _: thing.value[1],
}

FIELDS: dict[str, dict[str, Field]] = {
    "StatusCheckRollup": _SUM | {"contexts": _contexts},
    "Status": _SUM
    | {
        "contexts": lambda thing, _at, _: thing.value[0],
        "combinedContexts": _contexts,
        "context": lambda thing, _at, args: next(
            (one for one in thing.value[0] if one.value.context == args["name"]), None
        ),
    },
    "StatusContext": _STATUS_CONTEXT,
    "CheckRun": _CHECK_RUN,
    "CheckSuite": _SUITE,
    "WorkflowRun": _WORKFLOW_RUN,
    "Workflow": _WORKFLOW,
}
