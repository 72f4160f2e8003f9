"""What a verdict rests on changed, or the merge queue asks -> the verdict, by what GitHub and the ledger say now."""

from __future__ import annotations

from functools import partial

from bot.errors import Parts, UserError
from bot.pipeline.job import Job
from bot.pipeline.judge import rejudge
from bot.pipeline.merge_group import verify_group
from bot.records.event import CommentChanged, Event, MergeGroupRequested, PullRequestChanged, ReviewChanged


def run(event: Event, job: Job) -> None:
    """Find the pull request, decide, show; a group of the merge queue is compared with what was approved.

    An event about a commit may mean several pull requests: one that cannot be judged keeps no other back.
    """
    if isinstance(event, MergeGroupRequested):
        verify_group(event, job)
        return
    parts = Parts()
    for number in _numbers(event, job):
        judged = parts.attempt(f"#{number}", partial(rejudge, number, job))
        if judged is not None:
            job.say(f"#{number}: {judged.decision.headline}")
    for name, error in parts.failed:
        job.say(f"{name}: {error.message}")
    parts.finish()


def _numbers(event: Event, job: Job) -> list[int]:
    if isinstance(event, PullRequestChanged | CommentChanged):
        return [event.number]
    if not isinstance(event, ReviewChanged):
        raise UserError(f"nothing that a verdict rests on: {event.kind}", code="wrong_event")
    return [event.number] if event.number else job.ports.pull_requests.for_commit(event.head_sha or "")
