"""Workflows, their runs, and the jobs of a run."""

from __future__ import annotations

from typing import Any

from bot.sandbox.shapes.basics import ACTIONS_APP, Links, iso, maybe, node
from bot.sandbox.shapes.commits import iso_of
from bot.sandbox.shapes.repositories import minimal, person
from bot.sandbox.store import Job, Repository, Run


def workflow_id(path: str) -> int:
    """A stable number for a workflow file."""
    return 70_000 + sum(index * ord(letter) for index, letter in enumerate(path, 1)) % 20_000


def workflow(links: Links, repository: Repository, path: str, name: str) -> dict[str, Any]:
    """GitHub's `workflow`."""
    number, at, page = workflow_id(path), iso(repository.created_at), links.page(repository)
    return {
        "id": number,
        "node_id": node("Workflow", number),
        "name": name,
        "path": path,
        "state": repository.workflow_states.get(path, "active"),
        "created_at": at,
        "updated_at": at,
        "url": f"{links.repo(repository)}/actions/workflows/{number}",
        "html_url": f"{page}/blob/{repository.default_branch}/{path}",
        "badge_url": f"{page}/workflows/{name}/badge.svg",
    }


def run(links: Links, repository: Repository, found: Run) -> dict[str, Any]:
    """GitHub's `workflow-run`."""
    url = f"{links.repo(repository)}/actions/runs/{found.id}"
    commit = links.hub.bare(repository).object(found.sha)
    base = minimal(links, repository)
    moved = found.finished_at or found.started_at or found.created_at
    return {
        "id": found.id,
        "name": found.name,
        "node_id": node("WorkflowRun", found.id),
        "head_branch": found.branch,
        "head_sha": found.sha,
        "path": found.workflow,
        "display_title": found.title,
        "run_number": found.number,
        "run_attempt": found.attempt,
        "event": found.event,
        "status": found.status,
        "conclusion": found.conclusion,
        "workflow_id": workflow_id(found.workflow),
        "check_suite_id": found.id + 1,
        "check_suite_node_id": node("CheckSuite", found.id),
        "url": url,
        "html_url": f"{links.page(repository)}/actions/runs/{found.id}",
        "pull_requests": [],
        "created_at": iso(found.created_at),
        "updated_at": iso(moved),
        "run_started_at": iso(found.started_at or found.created_at),
        "actor": links.account(found.actor),
        "triggering_actor": links.account(found.actor),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{links.repo(repository)}/check-suites/{found.id + 1}",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": None,
        "workflow_url": f"{links.repo(repository)}/actions/workflows/{workflow_id(found.workflow)}",
        "head_commit": _head(commit),
        "repository": base,
        "head_repository": base,
    }


def _head(commit: Any) -> dict[str, Any] | None:
    if commit is None:
        return None
    people = {"author": person(commit.author), "committer": person(commit.committer)}
    return {
        "id": str(commit.id),
        "tree_id": str(commit.tree_id),
        "message": commit.message,
        "timestamp": iso_of(commit.committer),
    } | {role: {"name": who["name"], "email": who["email"]} for role, who in people.items()}


def shown(parent: Run, found: Job) -> str:
    """The name of a job as GitHub shows it; `act` puts the workflow's before it."""
    return found.name.removeprefix(f"{parent.name}/")


def job(links: Links, repository: Repository, parent: Run, found: Job) -> dict[str, Any]:
    """GitHub's `job`."""
    url = f"{links.repo(repository)}/actions"
    at = found.started_at or parent.created_at
    return {
        "id": found.id,
        "run_id": parent.id,
        "run_url": f"{url}/runs/{parent.id}",
        "run_attempt": parent.attempt,
        "node_id": node("CheckRun", found.id),
        "head_sha": parent.sha,
        "head_branch": parent.branch,
        "url": f"{url}/jobs/{found.id}",
        "html_url": f"{links.page(repository)}/actions/runs/{parent.id}/job/{found.id}",
        "status": "completed" if found.result else "in_progress",
        "conclusion": found.result,
        "created_at": iso(at),
        "started_at": iso(at),
        "completed_at": maybe(found.finished_at),
        "name": shown(parent, found),
        "steps": [
            {"name": step.name, "status": "completed", "conclusion": step.result, "number": number}
            for number, step in enumerate(found.steps, 1)
        ],
        "check_run_url": f"{links.repo(repository)}/check-runs/{found.id}",
        "labels": [],
        "runner_id": 1,
        "runner_name": "sandbox",
        "runner_group_id": 1,
        "runner_group_name": "sandbox",
        "workflow_name": parent.name,
    }


def check_suite(links: Links, repository: Repository, found: Run) -> dict[str, Any]:
    """GitHub's `check-suite`, of a run."""
    whole, url = run(links, repository, found), f"{links.repo(repository)}/check-suites/{found.id + 1}"
    return {
        "id": found.id + 1,
        "node_id": node("CheckSuite", found.id),
        "head_branch": found.branch,
        "head_sha": found.sha,
        "status": found.status,
        "conclusion": found.conclusion,
        "url": url,
        "before": None,
        "after": found.sha,
        "pull_requests": whole["pull_requests"],
        "app": links.app(ACTIONS_APP),
        "repository": whole["repository"],
        "created_at": whole["created_at"],
        "updated_at": whole["updated_at"],
        "head_commit": whole["head_commit"],
        "latest_check_runs_count": len(found.jobs),
        "check_runs_url": f"{url}/check-runs",
    }


def check_run(links: Links, repository: Repository, parent: Run, found: Job) -> dict[str, Any]:
    """GitHub's `check-run`, of a job."""
    url = f"{links.repo(repository)}/check-runs/{found.id}"
    html = f"{links.page(repository)}/actions/runs/{parent.id}/job/{found.id}"
    notes = [one for one in parent.annotations if one.job == found.name]
    return {
        "id": found.id,
        "name": shown(parent, found),
        "node_id": node("CheckRun", found.id),
        "head_sha": parent.sha,
        "external_id": str(found.id),
        "url": url,
        "html_url": html,
        "details_url": html,
        "status": "completed" if found.result else "in_progress",
        "conclusion": found.result,
        "started_at": iso(found.started_at or parent.created_at),
        "completed_at": maybe(found.finished_at),
        "output": {
            "title": None,
            "summary": "\n".join(found.summaries) or None,
            "text": None,
            "annotations_count": len(notes),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": parent.id + 1},
        "app": links.app(ACTIONS_APP),
        "pull_requests": [],
    }
