"""An open pull request whose run was lost -> the run, started again; and a verdict that says so until it reports."""

from __future__ import annotations

from datetime import timedelta

from bot.pipeline.job import Job
from bot.pipeline.judge import Judged, head_of, verdict_context
from bot.ports import TrainingRun
from bot.words import Plain

WORKFLOW = "pull-request.yml"
SOON = timedelta(hours=1)  # a younger run may be about this very head
AGAIN = timedelta(days=1)  # between two starts of the bot's own: what fails each time is not tried every hour
STARTED = Plain("Its run was lost or failed, and is started again")


def start_again(judged: Judged, job: Job) -> None:
    """Dispatch the run of a head that no run has reported. Raises MlbotError when GitHub refuses."""
    found, runs = judged.facts.pull_request, job.ports.training_runs
    if runs is None or head_of(found.number, found.head_sha, job) is not None:
        return
    talk, context = job.ports.conversation, verdict_context(found.number, job)
    is_told = context in talk.statuses(found.head_sha)
    if not is_lost(runs.of(found.number), job, is_told=is_told):
        return
    talk.dispatch(WORKFLOW, {"number": str(found.number)})
    job.say(f"#{found.number}: no run has reported {found.head_sha[:12]}; one is started")
    if not is_told:
        talk.set_status(found.head_sha, context, "pending", STARTED, job.ports.run.url)


def is_lost(runs: list[TrainingRun], job: Job, *, is_told: bool) -> bool:
    """Whether no run is going for the head, and none was started by the bot within a day.

    `is_told`: the head has a verdict. Without one, what was started within the day was about another head.
    """
    now = job.ports.clock.now()
    return not any(
        one.is_going or now - one.created_at < SOON or (is_told and one.is_dispatched and now - one.created_at < AGAIN)
        for one in runs
    )
