"""A review changed -> the verdict again, from what GitHub says now."""

from __future__ import annotations

from bot.errors import UserError
from bot.pipeline.job import Job
from bot.pipeline.judge import rejudge
from bot.records.event import Event, ReviewChanged


def run(event: Event, job: Job) -> None:
    """Find the pull request, decide, show."""
    if not isinstance(event, ReviewChanged):
        raise UserError(f"not a review: {event.kind}", code="wrong_event")
    numbers = [event.number] if event.number else job.ports.pull_requests.for_commit(event.head_sha or "")
    for number in numbers:
        job.say(f"#{number}: {rejudge(number, job).decision.headline}")
