"""A schedule -> what no event announced: lost memberships, opened windows, lost merges, half-written releases."""

from __future__ import annotations

from datetime import timedelta

from bot.errors import MlbotError, WorldError
from bot.pipeline.job import Job
from bot.pipeline.judge import policies_of, rejudge
from bot.pipeline.promote_job import by_itself
from bot.pipeline.promotion import summarizer
from bot.promote.compose import Drill
from bot.promote.step import settle_all, show_views
from bot.promote.upkeep import drill, follow_up, is_drill_due
from bot.records.event import Event
from bot.specs.policies.words import seconds


def run(_event: Event, job: Job) -> None:
    """Judge every open pull request again, finish releases, promote a merge whose run was lost."""
    failed = []
    for number in job.ports.pull_requests.open_numbers():
        try:
            job.say(f"#{number}: {rejudge(number, job).decision.headline}")
        except MlbotError as error:
            failed.append(f"#{number}: {error.message}")
    models = sorted(job.ports.git.entries(job.default_sha, "models"))
    settle_all(models, job.ports, summarizer(job.ports, job.default_sha))
    show_views(models, job.ports)
    for model in models:
        failed += _kept_up(model, job)
    for number in job.ports.pull_requests.for_commit(job.default_sha):
        by_itself(number, job)
    for line in failed:
        job.say(line)
    if failed:
        raise WorldError(f"{len(failed)} things could not be reconciled", hint="The lines above say why.")


def _kept_up(model: str, job: Job) -> list[str]:
    """Do what verifications ask for, and the drills that are due; what failed."""
    summarize, failed = summarizer(job.ports, job.default_sha), []
    for name, environment in policies_of(job).environments.environments.items():
        try:
            said = follow_up(name, model, job.ports, is_enabled=environment.automatic_rollback, summarize=summarize)
            if said is not None:
                job.say(f"{model} in {name}: {said}")
            every = environment.rollback_drill
            if every is not None and is_drill_due(name, model, timedelta(seconds=seconds(every)), job.ports):
                job.say(f"{model}: {_drilled(drill(name, model, job.ports, summarize))}")
        except MlbotError as error:
            failed.append(f"{model} in {name}: {error.message}")
    return failed


def _drilled(found: Drill) -> str:
    return f"drill {found.sentence}" if found.is_done else f"no drill: {found.sentence}"
