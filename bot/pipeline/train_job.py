"""out/plan.json and MLBOT_MODEL -> out/<model>/ with the artifact and its Evaluation, or failure.json."""

from __future__ import annotations

import hashlib
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.errors import MlbotError, UserError
from bot.ledger import Ledger
from bot.pipeline.asked import Asked, asked_of, known_of
from bot.pipeline.champions import deployed
from bot.pipeline.failures import failure_of
from bot.pipeline.job import Job, at_head, number_of
from bot.pipeline.past import attestation_of, readers_of, tests_of
from bot.pipeline.reuse import known, spec_at
from bot.plan.step import plan_one
from bot.ports import Ports
from bot.records.event import Event
from bot.records.matrix import models_of
from bot.records.plan import Plan, Planned
from bot.records.training import Training
from bot.specs.contract import read_contract
from bot.specs.policies.training import FILE as POLICY
from bot.specs.policies.training import TrainingPolicy, read_training_policy

if TYPE_CHECKING:
    from bot.adapters.limits import Limits


OUT_OF_MEMORY = UserError(
    "it needs more memory than its spec, policies/training.yaml or the machine allows",
    hint="Name fewer inputs, filter rows with `data.where`, or raise the limit and the runner with it.",
    code="memory_exceeded",
)


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
            said = OUT_OF_MEMORY if isinstance(error, MemoryError) else error
            write_failure(said, name, made.head_sha, job.out / name, inside)
    if failed:
        raise UserError(
            f"no evaluation of {', '.join(failed)}", hint="The lines above say why.", code="training_failed"
        )


def _train(one: Planned, made: Plan, job: Job) -> None:
    from bot.adapters.limits import Limits
    from bot.adapters.workbench import within
    from bot.evaluate.step import evaluate

    ports, folder = job.ports, job.out / one.model
    asked = asked_of(one.model, made.head_sha, job)
    policy = read_training_policy(ports.git.read(job.default_sha, POLICY))
    limits = Limits(policy.memory_bytes, policy.table_bytes)
    memory = within(limits.process(asked.spec.resources.memory_bytes))
    with tempfile.TemporaryDirectory(prefix="mlbot-") as name, memory:
        data, base = Path(name, "head"), Path(name, "base")
        ports.data.fetch(one.data_files, data)
        one = hashed(one, data)
        training = _trained(one, asked, data, folder, policy, job)
        where = {env: deployed(env, one.model, Path(name, env), ports) for env in asked.spec.environments}
        known = known_of(training, asked, ports)
        result = evaluate(
            asked.spec, training, folder, data, where, asked.gates, loaders=loaders(limits), uses=known.uses,
            best=known.best, passed=known.passed, policy_digest=asked.policy_digest,
            run={"id": ports.run.id, "attempt": ports.run.attempt, "url": ports.run.url}, contract=asked.contract,
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


def loaders(limits: Limits) -> Any:
    from bot.adapters.predictor import load
    from bot.adapters.tables import read_table
    from bot.evaluate.lent import Loaders

    return Loaders(partial(read_table, limits=limits), load, time.perf_counter)


def _trained(one: Planned, asked: Asked, data: Path, folder: Path, policy: TrainingPolicy, job: Job) -> Training:
    """The stored artifact of the same inputs, or a new one."""
    stored = known(one, job.ports)
    if stored is not None:
        pointer = Ledger(job.ports.ledger).pointer(one.model, one.inputs_digest, stored.digest())
        if pointer is not None:
            job.ports.artifacts.fetch(pointer, folder)
            job.say(f"{one.model}: not trained again, {one.inputs_digest} is in the ledger; only measured")
            return stored.training
    return trained_anew(one, asked, data, folder, policy, job)


def trained_anew(one: Planned, asked: Asked, data: Path, folder: Path, policy: TrainingPolicy, job: Job) -> Training:
    """A new artifact, whatever is stored."""
    from bot.adapters.limits import Limits
    from bot.adapters.progress import Progress
    from bot.adapters.workbench import LocalWorkbench
    from bot.train.step import train

    spec, limits = asked.spec, Limits(policy.memory_bytes, policy.table_bytes)
    with Progress() as progress:
        bench = LocalWorkbench(data, folder, progress, contract=asked.contract, limits=limits)
        # For a spec that may be spread: the machine's own scheduler, else the policy's; never one of the spec.
        may_spread = spec.search is not None and spec.search.dask
        return train(spec, one, bench, dask=(job.inputs.get("dask") or policy.dask) if may_spread else None)


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


def write_failure(error: Exception, name: str, sha: str, folder: Path, job: Job) -> None:
    """What is told instead of an Evaluation of a model at a commit, and what the log says."""
    path = f"models/{name}/model.yaml"
    failure = failure_of(error, job.ports.git.read(sha, path) or b"", path)
    job.say(f"{name}: {error}\n{failure.log_tail}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").unlink(missing_ok=True)
    (folder / "failure.json").write_text(failure.model_dump_json())
