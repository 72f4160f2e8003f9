"""A start -> the run that the queue handles: its record, its name, its contexts, and what its jobs may know."""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.sandbox import environments, expressions
from bot.sandbox.concurrency import Claim
from bot.sandbox.events import announce
from bot.sandbox.hub import Hub
from bot.sandbox.shapes import actions as shapes
from bot.sandbox.shapes.pulls import simple
from bot.sandbox.store import Environment, Repository, Run
from bot.sandbox.triggers import Start
from bot.sandbox.workflows import Workflow, read_workflows

CHAIN = 3  # https://docs.github.com/actions/reference/events-that-trigger-workflows#workflow_run: no more levels


@dataclass
class Item:
    """A run that waits or goes. `level` counts workflow_run after workflow_run.

    `claim` is the run's own group, `early` the group of its only job, asked for before it starts; `claims` those of
    jobs by name, `gates` where jobs wait for theirs. `put_out` are jobs that lost their place in a group.
    """

    run: Run
    start: Start
    level: int
    claim: Claim | None = None
    early: Claim | None = None
    is_looked_at: bool = False
    claims: dict[str, Claim] = field(default_factory=dict)
    gates: dict[str, str] = field(default_factory=dict)
    put_out: set[str] = field(default_factory=set)
    cancelled: bool = False
    is_told: bool = False  # `act` was told that the run is cancelled
    known: set[str] = field(default_factory=set)  # jobs that had begun then
    process: subprocess.Popen[str] | None = None
    started: float = 0.0

    @property
    def all_claims(self) -> list[Claim]:
        return [one for one in (self.claim, self.early, *self.claims.values()) if one is not None]


def item_of(hub: Hub, start: Start, level: int) -> Item:
    """A new run of the repository, queued."""
    repository = hub.repository(start.payload["repository"]["full_name"])
    item = Item(_run(hub, repository, start), start, level)
    wanted = start.workflow.body.get("run-name")
    with contextlib.suppress(expressions.UnknownError):
        item.run.title = expressions.fill(str(wanted), contexts(hub, item)) if wanted else item.run.title
    return item


def _run(hub: Hub, repository: Repository, start: Start) -> Run:
    data = hub.data
    data.last_run += 1
    number = 1 + sum(run.workflow == start.workflow.path for run in data.runs)
    payload = start.payload
    pull = payload.get("pull_request") or {}
    branch = pull.get("head", {}).get("ref") or start.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    return Run(
        id=data.last_run,
        number=number,
        repository=repository.full_name,
        workflow=start.workflow.path,
        name=start.workflow.name,
        event=start.event,
        action=str(payload.get("action", "")),
        sha=pull.get("head", {}).get("sha") or start.sha,
        commit=start.sha,
        ref=start.ref,
        branch=branch,
        actor=payload["sender"]["login"],
        title=_title(start),
        created_at=hub.clock(),
        permissions=start.workflow.permissions(),
        pulls=[pull["number"]] if pull else [],
        about=_about(payload),
    )


def _title(start: Start) -> str:
    payload = start.payload
    for key in ("pull_request", "issue"):
        if key in payload:
            return str(payload[key]["title"])
    head = payload.get("head_commit") or {}
    return str(head.get("message", start.workflow.name)).split("\n")[0]


def _about(payload: dict[str, Any]) -> list[int]:
    """Numbers of the pull requests and issues that an event has to do with, as far as its payload says."""
    given = [
        payload.get("pull_request"),
        payload.get("issue"),
        *(payload.get("workflow_run") or {}).get("pull_requests", []),
    ]
    numbers = {int(one["number"]) for one in given if one}
    typed = str((payload.get("inputs") or {}).get("number", ""))
    return sorted(numbers | ({int(typed)} if typed.isdigit() else set()))


def contexts(hub: Hub, item: Item) -> dict[str, Any]:
    """What expressions may name before any job runs: `github`, `inputs` and `vars`."""
    start, payload = item.start, item.start.payload
    pull = payload.get("pull_request") or {}
    github = {
        "event": payload,
        "event_name": start.event,
        "ref": start.ref,
        "ref_name": start.ref.removeprefix("refs/heads/").removeprefix("refs/tags/"),
        "head_ref": pull.get("head", {}).get("ref", ""),
        "base_ref": pull.get("base", {}).get("ref", ""),
        "sha": start.sha,
        "workflow": start.workflow.name,
        "run_id": item.run.id,
        "run_attempt": item.run.attempt,
        "repository": item.run.repository,
        "actor": item.run.actor,
    }
    variables = dict(hub.repository(item.run.repository).variables)
    return {"github": github, "inputs": payload.get("inputs") or {}, "vars": variables}


def called_by(hub: Hub, start: Start) -> list[Workflow]:
    """Workflows of other repositories here that the run's own calls."""
    found = []
    for name, path, ref in start.workflow.called():
        if name in hub.data.repositories:
            bare = hub.bare(hub.repository(name))
            found += [one for at, one in read_workflows(bare, ref).items() if at == path]
    return found


def heads_of(hub: Hub, run: Run) -> list[str]:
    """Heads of the pull requests that a run has to do with: their specs may name other runners."""
    issues = hub.repository(run.repository).issues
    return [found.pull.head_sha for number in run.about if (found := issues.get(number)) and found.pull]


def secrets_of(hub: Hub, start: Start) -> dict[str, str]:
    """The repository's, and those of environments that a job names and this branch may use; none for a fork."""
    if start.untrusted:
        return {}
    found = dict(hub.repository(start.payload["repository"]["full_name"]).secrets)
    for environment in _environments(hub, start):
        found.update(environment.secrets)
    return found


def variables_of(hub: Hub, start: Start) -> dict[str, str]:
    """As secrets, but a fork's run sees those of the repository."""
    found = dict(hub.repository(start.payload["repository"]["full_name"]).variables)
    for environment in [] if start.untrusted else _environments(hub, start):
        found.update(environment.variables)
    return found


def _environments(hub: Hub, start: Start) -> list[Environment]:
    """Those that a job of the workflow, or of one that it calls, names and this branch may use."""
    repository = hub.repository(start.payload["repository"]["full_name"])
    found = []
    jobs = [job for one in (start.workflow, *called_by(hub, start)) for job in one.jobs.values()]
    for named in [job.get("environment") for job in jobs]:
        name = named.get("name") if isinstance(named, dict) else named
        environment = repository.environments.get(str(name))
        if environment is not None and environments.admits(hub, repository, environment, start.ref):
            found.append(environment)
    return found


def run_folder(directory: Path, run: Run) -> Path:
    """Where a run keeps its log, artifacts and payload."""
    return directory / "runs" / (str(run.id) if run.attempt == 1 else f"{run.id}-{run.attempt}")


def announce_run(hub: Hub, item: Item, action: str) -> None:
    """The workflow_run event, which starts workflows though a run caused it, three levels deep at most."""
    run = item.run
    repository = hub.repository(run.repository)
    links = hub.links()
    if item.level >= CHAIN:
        return
    body = shapes.run(links, repository, run)
    pulls = [repository.issues[number] for number in run.pulls if number in repository.issues]
    body["pull_requests"] = [_pull_brief(simple(links, repository, one)) for one in pulls]
    announce(
        hub,
        repository,
        "workflow_run",
        action,
        run.actor,
        False,
        level=item.level + 1,
        workflow_run=body,
        workflow=shapes.workflow(links, repository, run.workflow, run.name),
    )


def _pull_brief(body: dict[str, Any]) -> dict[str, Any]:
    """A pull request as workflow_run shows it."""
    ends = {
        side: {
            "ref": body[side]["ref"],
            "sha": body[side]["sha"],
            "repo": {name: body[side]["repo"][name] for name in ("id", "url", "name")} if body[side]["repo"] else None,
        }
        for side in ("head", "base")
    }
    return {"url": body["url"], "id": body["id"], "number": body["number"], **ends}
