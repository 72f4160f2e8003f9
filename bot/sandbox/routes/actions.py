"""Workflows and runs: /repos/{owner}/{repo}/actions; dispatches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.sandbox import events
from bot.sandbox.http import ApiError, Call, Page, Reply, Route, not_found
from bot.sandbox.routes.issues import R
from bot.sandbox.shapes import actions as shapes
from bot.sandbox.store import Run
from bot.sandbox.workflows import Workflow, read_workflows

ACTIONS = ("actions",)


def workflows_of(call: Call) -> dict[str, Workflow]:
    """Workflow files of the default branch by path."""
    return read_workflows(call.hub.bare(call.repo), call.repo.default_branch)


def list_workflows(call: Call) -> Page:
    found = list(workflows_of(call).values())
    return Page(found, lambda one: shapes.workflow(call.links, call.repo, one.path, one.name), key="workflows")


def workflow_of(call: Call) -> Workflow:
    """By number or by file name. Raises 404."""
    wanted = call.params["workflow_id"]
    for path, found in workflows_of(call).items():
        if wanted in (str(shapes.workflow_id(path)), path.rsplit("/", 1)[-1]):
            return found
    raise not_found()


def get_workflow(call: Call) -> Reply:
    found = workflow_of(call)
    return Reply(shapes.workflow(call.links, call.repo, found.path, found.name))


def enable(call: Call) -> Reply:
    call.repo.workflow_states.pop(workflow_of(call).path, None)
    return Reply(None, 204)


def disable(call: Call) -> Reply:
    call.repo.workflow_states[workflow_of(call).path] = "disabled_manually"
    return Reply(None, 204)


def dispatch(call: Call) -> Reply:
    found, ref = workflow_of(call), call.text("ref", resource="Workflow")
    short = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    if not call.repo.switches.actions.enabled:
        raise ApiError(422, "Actions has been disabled for this repository.")
    if found.path in call.repo.workflow_states:
        raise ApiError(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
    if call.hub.bare(call.repo).commit(short) is None:
        raise ApiError(422, f"No ref found for: {ref}")
    trigger = found.triggers.get("workflow_dispatch")
    if "workflow_dispatch" not in found.triggers:
        raise ApiError(422, "Workflow does not have 'workflow_dispatch' trigger")
    inputs = _inputs(call.get("inputs") or {}, (trigger or {}).get("inputs") or {})
    events.announce(
        call.hub,
        call.repo,
        "workflow_dispatch",
        None,
        call.login,
        call.by_run,
        inputs=inputs,
        ref=f"refs/heads/{short}",
        workflow=found.path,
    )
    return Reply(None, 204)


def _inputs(given: dict[str, Any], declared: dict[str, Any]) -> dict[str, Any]:
    """Defaults filled in. Raises 422 for an input that is not declared, missing, or not one of the choices."""
    unknown = [name for name in given if name not in declared]
    if unknown:
        raise ApiError(422, f"Unexpected inputs provided: {unknown}".replace("'", '"'))
    result = {}
    for name, spec in declared.items():
        spec = spec or {}
        if name not in given and spec.get("required") and "default" not in spec:
            raise ApiError(422, f"Required input '{name}' not provided")
        value = given.get(name, spec.get("default", False if spec.get("type") == "boolean" else ""))
        if spec.get("type") == "choice" and value not in spec.get("options", []):
            raise ApiError(422, f"Provided value '{value}' for input '{name}' not in the list of allowed values")
        result[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return result


def repository_dispatch(call: Call) -> Reply:
    kind = call.text("event_type", resource="Repository", limit=100)
    payload = call.get("client_payload") or {}
    branch = call.repo.default_branch
    events.announce(
        call.hub,
        call.repo,
        "repository_dispatch",
        kind,
        call.login,
        call.by_run,
        branch=branch,
        client_payload=payload,
    )
    return Reply(None, 204)


def created_since(text: str | None) -> datetime | None:
    """Of GitHub's syntax for dates the one form `>=TIME`; None without it. Raises 422 for others."""
    if text is None:
        return None
    if not text.startswith(">="):
        raise ApiError(422, f"the sandbox knows `created=>=TIME` only, not {text}")
    return datetime.fromisoformat(text.removeprefix(">="))


def list_runs(call: Call) -> Page:
    query = call.query
    wanted = {"event": query.get("event"), "branch": query.get("branch"), "sha": query.get("head_sha")}
    wanted["actor"] = query.get("actor")
    since = created_since(query.get("created"))
    found = [
        run
        for run in reversed(call.hub.data.runs)
        if run.repository == call.repo.full_name
        and all(value in (None, getattr(run, name)) for name, value in wanted.items())
        and query.get("status") in (None, run.status, run.conclusion)
        and (since is None or run.created_at >= since)
    ]
    if "workflow_id" in call.params:
        path = workflow_of(call).path
        found = [run for run in found if run.workflow == path]
    return Page(found, lambda one: shapes.run(call.links, call.repo, one), key="workflow_runs")


def run_of(call: Call) -> Run:
    number = call.number("run_id")
    for run in call.hub.data.runs:
        if run.id == number and run.repository == call.repo.full_name:
            return run
    raise not_found()


def get_run(call: Call) -> Reply:
    return Reply(shapes.run(call.links, call.repo, run_of(call)))


def list_jobs(call: Call) -> Page:
    run = run_of(call)
    return Page(run.jobs, lambda one: shapes.job(call.links, call.repo, run, one), key="jobs")


def get_job(call: Call) -> Reply:
    """By the number of its check run, of which a job's is the same."""
    runs = [run for run in call.hub.data.runs if run.repository == call.repo.full_name]
    wanted = call.number("job_id")
    found = [(run, job) for run in runs for job in run.jobs if job.id == wanted]
    if not found:
        raise not_found()
    return Reply(shapes.job(call.links, call.repo, *found[0]))


def cancel_run(call: Call) -> Reply:
    run = run_of(call)
    if run.status == "completed":
        raise ApiError(409, "Cannot cancel a workflow run that is completed.")
    call.hub.control("cancel", run.id)
    return Reply({}, 202)


def rerun(call: Call) -> Reply:
    run = run_of(call)
    if run.status != "completed":
        raise ApiError(403, "This workflow is already running")
    call.hub.control("rerun", run.id)
    return Reply({}, 201)


ROUTES = [
    Route("GET", R + "/actions/workflows", list_workflows, ACTIONS),
    Route("GET", R + "/actions/workflows/{workflow_id}", get_workflow, ACTIONS),
    Route("GET", R + "/actions/workflows/{workflow_id}/runs", list_runs, ACTIONS),
    Route("PUT", R + "/actions/workflows/{workflow_id}/enable", enable, ACTIONS, "write"),
    Route("PUT", R + "/actions/workflows/{workflow_id}/disable", disable, ACTIONS, "write"),
    Route("POST", R + "/actions/workflows/{workflow_id}/dispatches", dispatch, ACTIONS, "write"),
    Route("POST", R + "/dispatches", repository_dispatch, ("contents",), "write"),
    Route("GET", R + "/actions/runs", list_runs, ACTIONS),
    Route("GET", R + "/actions/runs/{run_id}", get_run, ACTIONS),
    Route("GET", R + "/actions/runs/{run_id}/jobs", list_jobs, ACTIONS),
    Route("GET", R + "/actions/jobs/{job_id}", get_job, ACTIONS),
    Route("POST", R + "/actions/runs/{run_id}/cancel", cancel_run, ACTIONS, "write"),
    Route("POST", R + "/actions/runs/{run_id}/rerun", rerun, ACTIONS, "write"),
]
