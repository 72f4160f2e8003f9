"""Load-and-query checks of several models side by side, before the first of them is promoted."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bot.errors import UserError
from bot.pipeline.job import Job
from bot.records.evaluation import Evaluation
from bot.records.training import Training

Probe = Callable[[Path, Training], None]
AT_ONCE = 2  # a process of scikit-learn each


@contextmanager
def probes(environment: str, models: Iterable[tuple[Evaluation, str]], job: Job) -> Iterator[Probe]:
    """A probe that waits for the check of a model, and raises what it raised; `models` are evaluations and pointers."""
    check = serving_check(environment, job)
    with tempfile.TemporaryDirectory(prefix="mlbot-") as name, ThreadPoolExecutor(AT_ONCE) as pool:
        running: dict[str, Future[None]] = {}
        for evaluation, pointer in models:
            folder = Path(name, evaluation.model)
            job.ports.artifacts.fetch(pointer, folder)
            running[evaluation.artifact_digest] = pool.submit(check, folder, evaluation.training)
        yield lambda _folder, training: running[training.artifact_digest].result()


def serving_check(environment: str, job: Job) -> Probe:
    """Load and query in the environment that serves."""
    from bot.adapters.serving_environment import ServingEnvironment, cache_folder, prepared
    from bot.specs.deployment import FILE, read_deployment

    settings = read_deployment(job.ports.git.read(job.default_sha, FILE))
    path = settings.of(environment).requirements if settings is not None else None
    locked = job.ports.git.read(job.default_sha, path) if path else None
    if path and locked is None:
        raise UserError(f"{path} is not there", hint=f"{FILE} names it.", code="requirements_missing")
    return ServingEnvironment(prepared(locked, cache_folder())).check
