"""A run that is cancelled: which jobs are stopped, which go on, and which still begin.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-cancellation
"""

from __future__ import annotations

import re
import signal
import threading
from pathlib import Path
from typing import Any

import yaml

from bot.sandbox import conditions, expressions, processes
from bot.sandbox.runs import Item


def begin(item: Item) -> None:
    """Stop the jobs that do not go on. `act` itself is told only when none goes on: it would stop every job.

    What it is told makes the steps of `always()` and `cancelled()` run, and no others. While a job goes on, those of
    the stopped jobs do not know that they were cancelled; the steps of `failure()` run instead.
    """
    if item.process is None or item.is_told:
        return
    running = [job for job in item.run.jobs if job.result is None]
    for job in running:
        if not goes_on(item, job.key):
            item.put_out.add(job.name)
    if any(goes_on(item, job.key) for job in running):
        for key in {job.key for job in running if job.name in item.put_out}:
            processes.end_job(item.process.pid, key)
        return
    item.is_told = True
    steps = processes.family(item.process.pid)[1:]
    processes.end(item.process.pid, signal.SIGINT)
    timer = threading.Timer(0.3, processes.end_each, (steps,))  # `act` ends the head of a step only
    timer.daemon = True
    timer.start()


def goes_on(item: Item, key: str) -> bool:
    """Whether a job of the run may go on, or begin, after the run was cancelled."""
    return conditions.goes_on(item.start.workflow.jobs.get(key, {}))


def tidy(item: Item) -> None:
    """Take out jobs that only seem to have begun: `act` opens and closes what it does not run any more."""
    item.run.jobs = [job for job in item.run.jobs if job.name in item.known or job.steps]


def left(item: Item, contexts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The jobs that a cancelled run still begins, in order: those that were not reached, and go on all the same."""
    results = {job.key: job.result or "cancelled" for job in item.run.jobs}
    found: dict[str, dict[str, Any]] = {}
    for key, job in item.start.workflow.jobs.items():
        if key in results or not conditions.goes_on(job):
            continue
        needs = {name: {"result": results.get(name, "cancelled")} for name in conditions.needs_of(job)}
        try:
            wanted = conditions.runs(job, {**contexts, "needs": needs}, results, is_cancelled=True)
        except expressions.UnknownError:
            wanted = True
        if wanted:
            found[key] = _alone(job, found, results)
    return found


def _alone(job: dict[str, Any], others: dict[str, Any], results: dict[str, str]) -> dict[str, Any]:
    """The job without its condition, and with the results of jobs that are over in the place of their names."""

    def put_in(value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(
                r"\bneeds\.([\w-]+)\.result",
                lambda m: m[0] if m[1] in others else f"'{results.get(m[1], 'cancelled')}'",
                value,
            )
        if isinstance(value, list):
            return [put_in(one) for one in value]
        return {key: put_in(one) for key, one in value.items()} if isinstance(value, dict) else value

    kept = {key: put_in(one) for key, one in job.items() if key not in ("if", "needs")}
    needs = [name for name in conditions.needs_of(job) if name in others]
    return {**kept, "if": "always()", **({"needs": needs} if needs else {})}


def rewrite(item: Item, jobs: dict[str, dict[str, Any]], work: Path) -> None:
    """The run's workflow file with these jobs only."""
    body = {key: value for key, value in item.start.workflow.body.items() if key not in ("jobs", True, "on")}
    on = item.start.workflow.triggers
    (work / item.run.workflow).write_text(yaml.safe_dump({**body, "on": on, "jobs": jobs}, sort_keys=False))
