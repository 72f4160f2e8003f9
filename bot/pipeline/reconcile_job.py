"""A schedule -> what no event announced: lost memberships, opened windows, half-written releases, missed merges."""

from __future__ import annotations

from bot.errors import MlbotError, WorldError
from bot.pipeline.job import Job
from bot.pipeline.judge import rejudge
from bot.pipeline.promote_job import by_itself, summarize
from bot.promote.step import settle
from bot.records.event import Event


def run(_event: Event, job: Job) -> None:
    """Judge every open pull request again, finish releases, promote a merge whose run was lost."""
    failed = []
    for number in job.ports.pull_requests.open_numbers():
        try:
            job.say(f"#{number}: {rejudge(number, job).decision.headline}")
        except MlbotError as error:
            failed.append(f"#{number}: {error.message}")
    for model in sorted(job.ports.git.entries(job.default_sha, "models")):
        settle(model, job.ports, summarize(job))
    for number in job.ports.pull_requests.for_commit(job.default_sha):
        by_itself(number, job)
    for line in failed:
        job.say(line)
    if failed:
        raise WorldError(f"{len(failed)} pull requests could not be judged", hint="The lines above say why.")
