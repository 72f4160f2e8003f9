"""A schedule -> what no event announced: releases, rollbacks, drills and lost merges first, then every verdict."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from bot.errors import Parts, WorldError
from bot.ledger import Environments, Ledger
from bot.pipeline.job import Job, failures
from bot.pipeline.judge import policies_of, rejudge_open
from bot.pipeline.lost_runs import start_again
from bot.pipeline.merges import settle_merges
from bot.pipeline.overdue import stamp
from bot.pipeline.promote_job import by_itself, show_what_is_missing
from bot.pipeline.promotion import summarizer
from bot.pipeline.unanswered import answer_unanswered
from bot.promote.compose import Drill
from bot.promote.step import settle_each
from bot.promote.upkeep import drill, follow_up, is_drill_due
from bot.records.event import Event
from bot.specs.policies.environments import Environment
from bot.specs.policies.words import seconds
from bot.words import Markdown


def run(_event: Event, job: Job) -> None:
    """Do everything; one part that fails keeps no other back, and the summary names it."""
    parts = Parts()
    parts.attempt("stamp", lambda: stamp(job))
    parts.failed += reconcile(job).failed
    for name, error in parts.failed:
        job.say(f"{name}: {error.message}")
    if parts.failed:
        what = Markdown("### Not reconciled\n\nEverything else was; the next run tries these again.\n\n")
        job.summarize(what + failures(parts))
        raise WorldError(f"{len(parts.failed)} things could not be reconciled", hint="The lines above say why.")


def reconcile(job: Job, until: Callable[[], bool] = lambda: False, *, may_dispatch: bool = True) -> Parts:
    """Finish releases, keep them up, promote merges whose run was lost, judge what is open; what of it failed.

    The part that takes long, judging, stops when `until` says so. `may_dispatch`: whether this job may start other
    workflows, so that runs that were lost are started again and commands that nobody heard are carried out.
    """
    parts, summarize = Parts(), summarizer(job.ports, job.default_sha)
    models = parts.attempt("models", lambda: sorted(job.ports.git.entries(job.default_sha, "models"))) or []
    left = parts.attempt("releases", lambda: settle_each(models, job.ports, summarize)) or {}
    parts.failed += [(f"releases of {model}", error) for model, error in left.items()]
    policies = parts.attempt("policies", lambda: policies_of(job))
    watched = parts.attempt("live models", lambda: _watched(job)) or {}
    for name, environment in policies.environments.environments.items() if policies else ():
        for model in sorted(set(models) & watched.get(name, set())):
            parts.attempt(f"{model} in {name}", partial(_kept_up, model, name, environment, job))
    if policies:
        parts.attempt("merges", lambda: settle_merges(by_itself, job, parts, is_kept=True))
    if policies and may_dispatch:
        answer_unanswered(policies, job, parts)
    parts.attempt("tags and deployments", lambda: show_what_is_missing(models, job))
    for judged in rejudge_open(job, parts, until):
        if not may_dispatch:
            break
        parts.attempt(f"run of #{judged.facts.pull_request.number}", partial(start_again, judged, job))
    return parts


def _watched(job: Job) -> dict[str, set[str]]:
    """Models by environment of which the bot's branches say anything there: of others there is nothing to keep up."""
    found: dict[str, set[str]] = {}
    live, noted = Environments(job.ports.environments).names(), Ledger(job.ports.ledger).newest_counters()
    for environment, model in (*live, *((where, model) for model, where in noted)):
        found.setdefault(environment, set()).add(model)
    return found


def _kept_up(model: str, name: str, environment: Environment, job: Job) -> None:
    """Do what the last verification asks for, and the drill that is due."""
    summarize = summarizer(job.ports, job.default_sha)
    said = follow_up(name, model, job.ports, is_enabled=environment.automatic_rollback, summarize=summarize)
    if said is not None:
        job.say(f"{model} in {name}: {said}")
    every = environment.rollback_drill
    if every is not None and is_drill_due(name, model, timedelta(seconds=seconds(every)), job.ports):
        job.say(f"{model}: {_drilled(drill(name, model, job.ports, summarize))}")


def _drilled(found: Drill) -> str:
    return f"drill {found.sentence}" if found.is_done else f"no drill: {found.sentence}"
