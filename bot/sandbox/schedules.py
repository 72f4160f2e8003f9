"""Cron lines of workflow files: when they are due, and that GitHub switches them off where nothing happens.

https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.sandbox.events import announce
from bot.sandbox.hub import Hub
from bot.sandbox.store import Repository
from bot.sandbox.triggers import crons
from bot.sandbox.workflows import read_workflows

QUIET = timedelta(days=60)  # without a push to a public repository; then the whole workflow is off


@dataclass(frozen=True, order=True)
class Strike:
    """A moment at which a cron line of a workflow file of the default branch is due."""

    at: datetime
    path: str
    line: str


def between(hub: Hub, repository: Repository, since: datetime, until: datetime) -> list[Strike]:
    """What is due after `since`, up to `until`, in order. A line that is no cron line is never due."""
    from cronsim import CronSim, CronSimError

    found = []
    for path, workflow in read_workflows(hub.bare(repository), repository.default_branch).items():
        for line in crons(workflow):
            try:
                moments = CronSim(line, since)
            except CronSimError:
                continue
            for at in moments:
                if at > until:
                    break
                found.append(Strike(at, path, line))
    return sorted(found)


def strike(hub: Hub, repository: Repository, path: str, line: str) -> None:
    """The clock strikes for a cron line. Where nothing was pushed for 60 days the workflow is switched off instead."""
    last = max((one.at for one in repository.activities), default=repository.created_at)
    if hub.clock() - last > QUIET:
        repository.workflow_states[path] = "disabled_inactivity"
        return
    sender = repository.owner if repository.owner in hub.data.people else next(iter(repository.permissions))
    announce(hub, repository, "schedule", None, sender, False, schedule=line, workflow=path)
