"""A run in the queue: its name, and the concurrency groups in which it may have to wait."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox import expressions
from bot.sandbox.store import Run
from bot.sandbox.triggers import Start


@dataclass
class Item:
    """A run that waits or goes. `level` counts workflow_run after workflow_run."""

    run: Run
    start: Start
    level: int
    cancel_in_progress: bool = False
    queue_all: bool = False
    cancelled: bool = False
    process: subprocess.Popen[str] | None = None
    started: float = 0.0


def name_run(item: Item) -> None:
    """The title that `run-name` gives; without one it stays that of the event."""
    wanted = item.start.workflow.body.get("run-name")
    with contextlib.suppress(expressions.UnknownError):
        item.run.title = expressions.fill(str(wanted), _contexts(item)) if wanted else item.run.title


def join_groups(item: Item) -> None:
    """Concurrency groups of the workflow and its jobs, as far as they are known before jobs run."""
    workflow, contexts = item.start.workflow, _contexts(item)
    given = [workflow.body.get("concurrency"), *(job.get("concurrency") for job in workflow.jobs.values())]
    groups = set()
    for one in given:
        wanted: Mapping[str, Any] = one if isinstance(one, dict) else {"group": one}
        with contextlib.suppress(expressions.UnknownError):
            if wanted.get("group"):
                groups.add(expressions.fill(str(wanted["group"]), contexts).strip().lower())
                stop = expressions.fill(str(wanted.get("cancel-in-progress", "false")), contexts)
                item.cancel_in_progress |= stop.lower() == "true"
                item.queue_all |= wanted.get("queue") == "max"
    item.run.groups = sorted(groups)


def _contexts(item: Item) -> dict[str, Any]:
    """What expressions may name before any job runs: `github` and `inputs`."""
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
        "repository": item.run.repository,
        "actor": item.run.actor,
    }
    return {"github": github, "inputs": payload.get("inputs") or {}}
