"""out/plan.json and MLBOT_MODEL -> out/<model>/ with the artifact and its Evaluation, or failure.json."""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

from bot.errors import MlbotError, UserError
from bot.pipeline.failures import failure_of
from bot.pipeline.job import Job, at_head, number_of
from bot.pipeline.past import attestation_of, earlier_of, readers_of, tests_of, uses_of
from bot.pipeline.reuse import GATES, known, live_digest, spec_at
from bot.plan.step import plan_one
from bot.ports import Ports
from bot.records.base import sha256
from bot.records.evaluation import NOTHING_DEPLOYED, Evaluation
from bot.records.event import Event
from bot.records.failure import Failure
from bot.records.ledger import artifact_path, pointer_path
from bot.records.matrix import models_of
from bot.records.plan import Plan, Planned
from bot.records.training import Training
from bot.specs.contract import Contract, read_contract
from bot.specs.gates import read_gates, with_spec_gates
from bot.specs.model import ModelSpec, model_spec
from bot.specs.policies.training import FILE as POLICY
from bot.specs.policies.training import read_training_policy
from bot.specs.yaml import read_yaml


def run(event: Event, job: Job) -> None:
    """Train what is new and measure it; one model's failure is written down and does not stop the others."""
    made = Plan.parse((job.out / "plan.json").read_bytes(), source="out/plan.json")
    number = number_of(event)
    inside = at_head(job, number, made.head_sha)
    planned = {one.model: one for one in made.planned}
    failed = []
    for name in models_of(job.inputs.get("model", "")):
        if name not in planned:
            raise UserError(
                f"{name!r} is not in the plan", hint="MLBOT_MODEL names planned models.", code="not_planned"
            )
        try:
            _train(planned[name], made, inside)
        except Exception as error:
            failed.append(name)
            _write_failure(error, name, made, inside)
    if failed:
        raise UserError(
            f"no evaluation of {', '.join(failed)}", hint="The lines above say why.", code="training_failed"
        )


def _train(one: Planned, made: Plan, job: Job) -> None:
    from bot.evaluate.budget import looks_back, passed_gates
    from bot.evaluate.ladder import best_released
    from bot.evaluate.metrics import canonical
    from bot.evaluate.step import evaluate

    ports, folder, head = job.ports, job.out / one.model, made.head_sha
    spec_file, schema_file = f"models/{one.model}/model.yaml", f"models/{one.model}/schema.yaml"
    document = read_yaml(ports.git.read(head, spec_file) or b"", spec_file)
    spec = model_spec(document, spec_file)
    schema = ports.git.read(head, schema_file)
    contract = read_contract(schema, schema_file) if schema is not None else None
    policy = ports.git.read(job.default_sha, GATES)
    if policy is None:
        raise UserError(f"{GATES} is not on the default branch", hint="`mlbot init` writes one.", code="policy_missing")
    gates = with_spec_gates(read_gates(policy, GATES), document)
    with tempfile.TemporaryDirectory(prefix="mlbot-") as name:
        data, base = Path(name, "head"), Path(name, "base")
        ports.data.fetch(one.data_files, data)
        one = hashed(one, data)
        training = _trained(one, spec, data, contract, folder, job)
        where = {env: _champion(env, one.model, Path(name, env), ports) for env in spec.environments}
        metric = canonical(spec.metrics.primary)
        seen = (training.test_rows_digest, metric, one.inputs_digest, ports)
        earlier = earlier_of(*seen) if looks_back(gates) else []
        best = best_released(earlier, metric)
        result = evaluate(
            spec, training, folder, data, where, gates, loaders=_loaders(), uses={metric: uses_of(*seen)},
            best={} if best is None else {metric: best}, passed=passed_gates(earlier), policy_digest=sha256(policy),
            run={"id": ports.run.id, "attempt": ports.run.attempt, "url": ports.run.url}, contract=contract,
            now=ports.clock.now(), before=_before(one, made, training, data, base, ports),
            attestation=attestation_of(one.model, job.default_sha, ports), known_tests=tests_of(one.model, ports),
        )  # fmt: skip
    (folder / "evaluation.json").write_bytes(result.canonical())
    job.say(f"{one.model}: {result.verdict}, {training.artifact_digest}")


def hashed(one: Planned, data: Path) -> Planned:
    """With the SHA-256 of each data file, for the provenance of what is trained from it."""
    files = []
    for file in one.data_files:
        with (data / file.path).open("rb") as opened:
            digest = f"sha256:{hashlib.file_digest(opened, 'sha256').hexdigest()}"
        files.append(file.model_copy(update={"sha256": digest}))
    return one.model_copy(update={"data_files": tuple(files)})


def _loaders() -> Any:
    from bot.adapters.predictor import load
    from bot.adapters.tables import read_table
    from bot.evaluate.lent import Loaders

    return Loaders(read_table, load, time.perf_counter)


def _trained(one: Planned, spec: Any, data: Path, contract: Contract | None, folder: Path, job: Job) -> Training:
    """The stored artifact of the same inputs, or a new one."""
    from bot.adapters.progress import Progress
    from bot.adapters.workbench import LocalWorkbench
    from bot.train.step import train

    stored = known(one, job.ports)
    if stored is not None:
        path = pointer_path(one.model, one.inputs_digest, stored.digest())
        pointer = job.ports.ledger.get(path)
        if pointer is not None:
            job.ports.artifacts.fetch(pointer.decode(), folder)
            job.say(f"{one.model}: not trained again, {one.inputs_digest} is in the ledger; only measured")
            return stored.training
    with Progress() as progress:
        return train(spec, one, LocalWorkbench(data, folder, progress, contract=contract), dask=_dask(spec, job))


def _dask(spec: ModelSpec, job: Job) -> str | None:
    """The scheduler for a spec that may be spread: the machine's MLBOT_DASK, else the policy's."""
    if spec.search is None or not spec.search.dask:
        return None
    policy = read_training_policy(job.ports.git.read(job.default_sha, POLICY))
    return job.inputs.get("dask") or policy.dask


def _champion(environment: str, model: str, into: Path, ports: Ports) -> Path | str:
    if live_digest(environment, model, ports) is None:
        return NOTHING_DEPLOYED
    pointer = ports.environments.get(artifact_path(environment, model))
    if pointer is None:
        return "its pointer is missing on the environments branch"
    try:
        ports.artifacts.fetch(pointer.decode(), into)
    except UserError as error:
        return error.message
    return into


def _before(one: Planned, made: Plan, training: Training, data: Path, into: Path, ports: Ports) -> Any:
    """The data of the base, when the change touches data; None when there is nothing to compare."""
    from bot.adapters.tables import column_names
    from bot.evaluate.lent import Before

    if "data" not in made.change_kinds and "schema" not in made.change_kinds:
        return None
    try:
        old = plan_one(one.model, made.base_sha, ports)
        ports.data.fetch(old.data_files, into)
    except MlbotError:
        return None  # the base had no such model, or its data cannot be had any more
    path = f"models/{one.model}/schema.yaml"
    schema = ports.git.read(made.base_sha, path)
    names = column_names(spec_at(one, made.head_sha, ports), data)
    readers = readers_of(one, made, training.inputs, names, ports)
    return Before(old.data_files, into, readers, read_contract(schema, path) if schema else None)


def _write_failure(error: Exception, name: str, made: Plan, job: Job) -> None:
    """What the report shows instead of an Evaluation, and what the log says."""
    path, folder = f"models/{name}/model.yaml", job.out / name
    failure = failure_of(error, job.ports.git.read(made.head_sha, path) or b"", path)
    job.say(f"{name}: {error}\n{failure.log_tail}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").unlink(missing_ok=True)
    (folder / "failure.json").write_text(failure.model_dump_json())


def read_result(folder: Path, one: Planned) -> Evaluation | Failure:
    """What a training job handed over for a model; an Evaluation of other inputs or other bytes is refused.

    So is whatever is no plain file, or cannot be read: a Failure, so that the other models are reported (attack A13).
    """
    try:
        return _read_result(folder, one)
    except (MlbotError, ValueError, OSError) as error:
        said = error.message if isinstance(error, MlbotError) else type(error).__name__
        return Failure(message=f"What the training job handed over is refused: {said}", hint="Run the workflow again.")


def _read_result(folder: Path, one: Planned) -> Evaluation | Failure:
    odd = [path.name for path in (folder, *folder.iterdir()) if path.is_symlink() or (path.is_dir() and path != folder)]
    if odd:
        raise UserError(f"{odd[0][:80]!r} is no plain file")
    if (folder / "failure.json").is_file():
        return Failure.model_validate_json((folder / "failure.json").read_bytes())
    if not (folder / "evaluation.json").is_file():
        return Failure(message="The training job ended without a result.", hint="Its log says more; run it again.")
    found = Evaluation.parse((folder / "evaluation.json").read_bytes(), source=f"{one.model}/evaluation.json")
    if (found.model, found.inputs_digest) != (one.model, one.inputs_digest):
        return Failure(message="The result is about other inputs than were planned.", hint="Run the workflow again.")
    for file in found.training.files:
        at = folder / file.name
        if not at.is_file() or sha256(at.read_bytes()) != file.sha256:
            return Failure(message=f"{file.name} is not the file that was evaluated.", hint="Run the workflow again.")
    return found
