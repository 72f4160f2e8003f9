"""A review changed, or the merge queue asks -> the verdict, from what GitHub and the ledger say now."""

from __future__ import annotations

from bot.errors import UserError
from bot.pipeline.job import Job
from bot.pipeline.judge import rejudge
from bot.pipeline.merge_group import verify_group
from bot.records.event import Event, MergeGroupRequested, ReviewChanged


def run(event: Event, job: Job) -> None:
    """Find the pull request, decide, show; a group of the merge queue is compared with what was approved."""
    if isinstance(event, MergeGroupRequested):
        verify_group(event, job)
        return
    if not isinstance(event, ReviewChanged):
        raise UserError(f"not a review: {event.kind}", code="wrong_event")
    numbers = [event.number] if event.number else job.ports.pull_requests.for_commit(event.head_sha or "")
    for number in numbers:
        job.say(f"#{number}: {rejudge(number, job).decision.headline}")
