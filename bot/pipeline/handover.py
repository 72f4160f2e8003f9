"""out/trained/ -> Evaluations that are our own: what a training job handed over counts for its numbers alone.

A training job runs on a machine that a team offers, and may be in other hands. So what it hands over must fit the plan
that we made ourselves, for a model that this run asked of it; gates and verdict are made here, from the numbers and the
policy of the default branch; and every text has a size. Numbers that fit and are wrong are believed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import MlbotError, UserError
from bot.pipeline.asked import Asked, asked_of, known_of
from bot.pipeline.job import Job
from bot.pipeline.past import attestation_of, tests_of
from bot.pipeline.reuse import live_digest
from bot.plan.step import library_versions
from bot.records.base import MAX_RECORD_BYTES, canonical_json, sha256
from bot.records.evaluation import Evaluation
from bot.records.failure import Failure
from bot.records.matrix import shards_of
from bot.records.measured import Measured
from bot.records.plan import Plan, Planned
from bot.records.training import Golden, Training
from bot.specs.model import ModelSpec

FILES = frozenset(("model.skops", "model.onnx", "golden.json"))
AGAIN = "Run the workflow again."
# Characters of each text of a Failure, which the ledger keeps with the head.
CUT = {"message": 1500, "hint": 1500, "log_tail": 2500, "file": 300}


def hand_over(out: Path, made: bytes, jobs: bytes) -> str:
    """Write the plan and the matrix for the jobs that follow, and give the digest that a job is to know them by.

    The digest goes by way of the workflow, as a job's output: files of a run can be replaced by each of its jobs.
    """
    (out / "plan.json").write_bytes(made)
    (out / "matrix.json").write_bytes(jobs)
    return sha256(made + b"\n" + jobs)


def taken_over(job: Job) -> tuple[Plan, dict[str, str]]:
    """The plan of this run's plan job, and model -> shard of the training jobs that it asked for.

    Raises UserError (code `plan_differs`) when the files are not those that it wrote.
    """
    made, jobs = handed_over(job)
    return Plan.parse(made, source="out/plan.json"), shards_of(json.loads(jobs))


def handed_over(job: Job) -> tuple[bytes, bytes]:
    """What `hand_over` wrote in this run. Raises UserError (code `plan_differs`) for anything else."""
    made, jobs = (sized(job.out / name) for name in ("plan.json", "matrix.json"))
    if sha256(made + b"\n" + jobs) != job.inputs.get("plan_digest"):
        raise UserError("the plan that was handed over is not that of this run", hint=AGAIN, code="plan_differs")
    return made, jobs


@dataclass(frozen=True)
class HandedOver:
    """What the training jobs of this run handed over; `head` is the commit that they were asked to train, `shards` say
    which job was asked for which model.
    """

    job: Job
    head: str
    shards: Mapping[str, str]

    def folder(self, model: str) -> Path | None:
        """Where the job that was asked for the model put it; None when none was asked, or nothing came.

        An artifact is read for the models of its own shard only: what else is in it stands in for nothing.
        """
        shard = self.shards.get(model)
        folder = self.job.out / "trained" / f"trained-{shard}" / model
        return folder if shard is not None and folder.is_dir() else None

    def result(self, one: Planned) -> Evaluation | Failure | None:
        """The Evaluation, or why there is none; None when nothing was handed over for the model.

        Whatever is no plain file, does not fit or cannot be read is a Failure, so that other models are reported.
        """
        folder = self.folder(one.model)
        if folder is None:
            return None
        try:
            return self._result(folder, one)
        except (MlbotError, ValueError, OSError, ArithmeticError, LookupError) as error:
            said = error.message if isinstance(error, MlbotError) else type(error).__name__
            return cut(Failure(message=f"What the training job handed over is refused: {said}", hint=AGAIN))

    def _result(self, folder: Path, one: Planned) -> Evaluation | Failure:
        plain(folder)
        if (folder / "failure.json").is_file():
            return cut(Failure.model_validate_json(sized(folder / "failure.json")))
        if not (folder / "evaluation.json").is_file():
            return Failure(message="The training job ended without a result.", hint="Its log says more; run it again.")
        found = Evaluation.parse(sized(folder / "evaluation.json"), source=f"{one.model}/evaluation.json")
        asked = asked_of(one.model, self.head, self.job)
        live = {name: live_digest(name, one.model, self.job.ports) for name in asked.spec.environments}
        misfit = next(misfits(found, one, asked, live, self.job.ports.workspace), None)
        problem = misfit or next(wrong_files(found.training, folder), None)
        if problem is not None:
            raise UserError(problem)
        made = self._judged(found, asked)
        if len(made.canonical()) > MAX_RECORD_BYTES:
            raise UserError("the evaluation is too large to be kept")
        _describe(made, asked.spec, folder)
        return made

    def _judged(self, found: Evaluation, asked: Asked) -> Evaluation:
        """With our own gates, verdict, budget and score. A gate that is missing or not ours is refused."""
        from bot.evaluate.judged import judged
        from bot.evaluate.score import ml_test_score, score_section

        ports = self.job.ports
        run = {"id": ports.run.id, "attempt": ports.run.attempt, "url": ports.run.url}
        known = known_of(found.training, asked, ports, found.measured.rows_sketch if found.measured else ())
        made = judged(found.model_copy(update={"run": run}), asked.spec, asked.gates, known)
        ours, theirs = ([gate.gate for gate in one.gates] for one in (made, found))
        if ours != theirs:
            odd = sorted(set(ours) ^ set(theirs))[:1] or ["their order"]
            raise UserError(f"its gates are not those of the policy: {odd[0][:64]!r}")
        score = score_section(
            ml_test_score(made, attestation_of(found.model, self.job.default_sha, ports), tests_of(found.model, ports))
        )
        others = tuple(one for one in made.sections if one.id != score.id)
        return made.model_copy(update={"sections": (*others, score)})


def plain(folder: Path) -> None:
    """Raises UserError for what is no plain file in a folder that was handed over."""
    odd = [path for path in (folder, *folder.iterdir()) if path.is_symlink() or (path.is_dir() and path != folder)]
    if odd:
        raise UserError(f"{odd[0].name[:80]!r} is no plain file")


def cut(failure: Failure) -> Failure:
    """With texts of at most so many characters as the ledger should keep."""
    texts = {name: getattr(failure, name) for name in CUT}
    return failure.model_copy(update={name: text and text[: CUT[name]] for name, text in texts.items()})


def misfits(found: Evaluation, one: Planned, asked: Asked, live: dict[str, str | None], root: Path) -> Iterator[str]:
    """How an Evaluation is not about what was planned, in words; `live` is what is live by environment of the spec.

    `root` is the checkout, whose lock has the versions of libraries.
    """
    training, spec = found.training, asked.spec
    if (found.model, training.model) != (one.model, one.model) or found.inputs_digest != one.inputs_digest:
        yield "the result is about other inputs than were planned"
    if {(file.path, file.md5) for file in training.data_files} != {(file.path, file.md5) for file in one.data_files}:
        yield "it was made from other data files than were planned"
    if found.policy_digest != asked.policy_digest:
        yield "the gates have changed since, or were others"
    yield from other_training(training, spec, root)
    if found.n_test != training.n_test or found.n_test < 1:
        yield "its test rows are not those of its training"
    if found.measured is not None:
        yield from _other_baselines(found, found.measured, spec, live)


def other_training(training: Training, spec: ModelSpec, root: Path) -> Iterator[str]:
    said = (training.task, training.target, training.estimator)
    if said != (spec.task, spec.data.target, spec.estimator.name):
        yield "it trained another task, target or estimator than the spec names"
    searched = spec.search.parameters if spec.search else {}
    fixed = {name: value for name, value in spec.estimator.parameters.items() if name not in searched}
    if any(canonical_json(training.parameters.get(name)) != canonical_json(value) for name, value in fixed.items()):
        yield "it trained with other parameters than the spec names"
    ours, theirs = library_versions(root), training.machine.packages
    if any(theirs.get(name) != version for name, version in ours.items()):
        yield "it trained with other versions of the libraries than are locked"


def _other_baselines(
    found: Evaluation, measured: Measured, spec: ModelSpec, live: dict[str, str | None]
) -> Iterator[str]:
    """Each environment of the spec was compared with what is live there now, or is missing for a reason that is so."""
    missing = {one.environment: one.code for one in found.missing_baselines}
    compared = {name: one.artifact_digest for name, one in measured.baselines.items()}
    if set(compared) & set(missing) or set(compared) | set(missing) != {*spec.environments, "dummy", "linear"}:
        yield "it was not compared with what the spec's environments have"
    for name in spec.environments:
        is_empty = missing.get(name) == "nothing_deployed"
        if is_empty != (live[name] is None) or compared.get(name, live[name]) != live[name]:
            yield f"what is live in {name} is not what it was compared with"
    if any(compared.get(name) is not None for name in ("dummy", "linear")):
        yield "a simple model has no artifact"


def wrong_files(training: Training, folder: Path) -> Iterator[str]:
    names = [file.name for file in training.files]
    if len(set(names)) != len(names) or not {"model.skops", "golden.json"} <= set(names) <= FILES:
        yield "it lists other files than a training writes"
        return
    for file in training.files:
        path = folder / file.name
        if not path.is_file() or path.stat().st_size != file.size or _digest(path) != file.sha256:
            yield f"{file.name} is not the file that was evaluated"
            return
    digests = {file.name: file.sha256 for file in training.files}
    golden = Golden.parse(sized(folder / "golden.json"), source="golden.json")
    if digests["model.skops"] != training.artifact_digest:
        yield "its artifact digest is not that of model.skops"
    if (golden.model, golden.artifact_digest, golden.classes) != (
        training.model, training.artifact_digest, training.classes
    ):  # fmt: skip
        yield "golden.json is about another model"
    if (training.onnx == "passed") != ("model.onnx" in digests):
        yield "its ONNX file and what it says about it do not go together"


def _describe(made: Evaluation, spec: ModelSpec, folder: Path) -> None:
    """What lies beside the artifact is written by us, from what was checked; nothing else stays."""
    from bot.train.card import card

    for path in folder.iterdir():
        if path.name not in {file.name for file in made.training.files}:
            path.unlink()
    (folder / "training.json").write_bytes(made.training.canonical())
    (folder / "README.md").write_text(card(spec, made.training, made), encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return f"sha256:{hashlib.file_digest(opened, 'sha256').hexdigest()}"


def sized(path: Path) -> bytes:
    """The bytes of a record. Raises UserError (code `record_too_large`) before it is read."""
    if path.stat().st_size > MAX_RECORD_BYTES:
        raise UserError(f"{path.name} is too large for a record", code="record_too_large")
    return path.read_bytes()
