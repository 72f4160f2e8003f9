"""Load-and-query check of all models of a promotion, in one process, before the first of them goes live."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from bot.errors import UserError
from bot.pipeline.job import Job
from bot.promote.step import Probe, is_live
from bot.records.evaluation import Evaluation
from bot.records.training import Training


def probed(environment: str, models: Iterable[tuple[Evaluation, str]], job: Job) -> Probe:
    """A probe that raises what was found wrong with an artifact; `models` are evaluations and their pointers."""
    found: dict[str, UserError | None] = {}
    with tempfile.TemporaryDirectory(prefix="mlbot-") as name:
        artifacts = []
        for evaluation, pointer in models:
            if is_live(evaluation, environment, job.ports):
                continue
            try:
                folder = Path(name, evaluation.model)
                job.ports.artifacts.fetch(pointer, folder)
                artifacts.append((folder, evaluation.training))
            except UserError as error:
                found[evaluation.artifact_digest] = error
        answers = _check_all(environment, artifacts, job) if artifacts else []
        found |= {training.artifact_digest: answer for (_, training), answer in zip(artifacts, answers, strict=True)}

    def probe(folder: Path, training: Training) -> None:  # noqa: ARG001 - asked already, of the same bytes
        problem = found[training.artifact_digest]
        if problem is not None:
            raise problem

    return probe


def _check_all(environment: str, artifacts: list[tuple[Path, Training]], job: Job) -> list[UserError | None]:
    """What the environment that serves says to each."""
    from bot.adapters.serving_environment import ServingEnvironment, cache_folder, prepared
    from bot.specs.deployment import FILE, read_deployment

    settings = read_deployment(job.ports.git.read(job.default_sha, FILE))
    path = settings.of(environment).requirements if settings is not None else None
    locked = job.ports.git.read(job.default_sha, path) if path else None
    if path and locked is None:
        raise UserError(f"{path} is not there", hint=f"{FILE} names it.", code="requirements_missing")
    return ServingEnvironment(prepared(locked, cache_folder())).check_all(artifacts)
