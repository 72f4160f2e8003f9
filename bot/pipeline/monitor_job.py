"""A schedule -> what is live and cannot be judged yet, since no workflow knows where predictions are logged."""

from __future__ import annotations

from bot.pipeline.job import Job
from bot.promote.step import live_releases
from bot.records.event import Event


def run(_event: Event, job: Job) -> None:
    """Name each live model that nobody watches; `mlbot monitor --reference --current` judges tables by hand."""
    for one in live_releases(job.ports):
        said = f"{one.model} {one.version} in {one.environment} is not monitored: no log of its predictions is declared"
        job.say(f"::warning::{said}")
        job.summarize(f"- {said}")
