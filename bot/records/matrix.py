"""The matrix of training jobs, as `plan` hands it to GitHub and a training job reads its part back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from math import ceil
from typing import Any

from bot.errors import UserError
from bot.records.plan import Planned

# https://docs.github.com/actions/reference/limits: a matrix generates at most 256 jobs
MAX_JOBS = 256
MAX_TIMEOUT_MINUTES = 360  # of a job on a hosted runner


def matrix(planned: Iterable[Planned]) -> dict[str, list[dict[str, str | int]]]:
    """The `include` list: a job a model, and above 256 models a job for several models of the same runner label.

    Keys of a job: `shard` (names its artifact), `model` (names separated by commas, see `models_of`), `runner`,
    `timeout_minutes` (the sum of its models', at most what GitHub allows). Raises UserError (code `matrix_too_wide`)
    when there are more runner labels than jobs.
    """
    models = sorted(planned, key=lambda one: (one.runner, one.model))
    by_runner = [list(group) for _, group in groupby(models, key=lambda one: one.runner)]
    if len(by_runner) > MAX_JOBS:
        message = f"the models of this change name {len(by_runner)} runner labels; a matrix has at most {MAX_JOBS} jobs"
        raise UserError(message, hint="Let models share runner labels.", code="matrix_too_wide")
    size = _models_per_job([len(group) for group in by_runner])
    jobs = [group[at : at + size] for group in by_runner for at in range(0, len(group), size)]
    return {"include": [_job(number, job) for number, job in enumerate(jobs)]}


def models_of(text: str) -> tuple[str, ...]:
    """The names in a job's `model`."""
    return tuple(name for name in text.split(",") if name)


def shards_of(jobs: Mapping[str, Any]) -> dict[str, str]:
    """Model -> the shard of the job that is asked for it, of a matrix that was read back."""
    return {name: str(one["shard"]) for one in jobs["include"] for name in models_of(str(one["model"]))}


def _models_per_job(sizes: list[int]) -> int:
    """The smallest number of models a job with which the matrix is not too wide; 1 for up to 256 models."""
    size = max(1, ceil(sum(sizes) / MAX_JOBS))
    while sum(ceil(one / size) for one in sizes) > MAX_JOBS:
        size += 1
    return size


def _job(number: int, models: list[Planned]) -> dict[str, str | int]:
    return {
        "shard": f"{number:03d}",
        "model": ",".join(one.model for one in models),
        "runner": models[0].runner,
        "timeout_minutes": min(sum(one.timeout_minutes for one in models), MAX_TIMEOUT_MINUTES),
    }
