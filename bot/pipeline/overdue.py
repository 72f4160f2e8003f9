"""What reconcile owes is done by whoever runs next: GitHub's schedules come hours late, or stop."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.errors import Parts
from bot.pipeline.job import Job, failures
from bot.words import Markdown

STAMP = "reconciled"
HOUR = timedelta(hours=1)  # the schedule; within one hour nothing new is written
LATE = timedelta(hours=3)
BUDGET = timedelta(minutes=5)  # of a run that has done its own work
MAY_DISPATCH = ("chatops",)  # with the permission `actions: write`
JOBS = ("report", "reviewed", "chatops", "promote")  # which may write what reconcile writes


def last_reconcile(job: Job) -> datetime | None:
    """When a reconcile last began, whichever run did it; None when none ever did."""
    return job.ports.git.stamp(STAMP)


def is_overdue(last: datetime | None, now: datetime) -> bool:
    """Whether the schedule failed to come."""
    return last is None or now - last >= LATE


def sentence(last: datetime | None, now: datetime) -> str:
    """When reconcile last ran, for people."""
    if last is None:
        return "`reconcile` has not run yet."
    hours = (now - last).total_seconds() / 3600
    ago = f"{hours:.0f} hours ago" if hours >= 2 else f"{hours * 60:.0f} minutes ago"
    late = ": its schedule is late, and the next run of any event does what it owes" if is_overdue(last, now) else ""
    return f"`reconcile` last ran at {last:%Y-%m-%d %H:%M} UTC, {ago}{late}."


def stamp(job: Job) -> None:
    """Say that a reconcile begins, once an hour."""
    last, now = last_reconcile(job), job.ports.clock.now()
    if last is None or now - last >= HOUR:
        job.ports.git.set_stamp(STAMP, now)


def catch_up(job: Job) -> None:
    """Do what reconcile owes when it is overdue, within BUDGET; of several runs one does it.

    What fails is said and keeps nothing back: this run has done its own work.
    """
    from bot.pipeline.reconcile_job import reconcile

    now, claimed = job.ports.clock.now(), Parts()
    if not is_overdue(last_reconcile(job), now):
        return
    if not claimed.attempt("stamp", lambda: job.ports.git.set_stamp(STAMP, now)):
        job.say("another run does what reconcile owes")
        return
    job.say("reconcile is overdue: this run does what it owes")
    may_dispatch = job.ports.run.job in MAY_DISPATCH
    parts = reconcile(job, lambda: job.ports.clock.now() - now >= BUDGET, may_dispatch=may_dispatch)
    for name, error in parts.failed:
        job.say(f"::warning::{name}: {error.message}")
    lines = failures(parts) or Markdown("Everything was done.\n")
    job.summarize(Markdown("### Reconciled, since its schedule is late\n\n") + lines)
