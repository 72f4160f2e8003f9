"""out/plan.json and MLBOT_MODEL -> out/<target>/: the same inputs trained and measured once more, from nothing stored.

It is compared with what was live then, whose bytes the ledger names: what is live moves on.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bot.errors import UserError
from bot.ledger import Ledger
from bot.pipeline.asked import asked_of
from bot.pipeline.choose_job import planned_at
from bot.pipeline.job import Job, at_head
from bot.pipeline.train_job import OUT_OF_MEMORY, hashed, loaders, trained_anew, write_failure
from bot.promote.reading import promotions
from bot.records.evaluation import NOTHING_DEPLOYED
from bot.records.event import Event
from bot.records.matrix import models_of
from bot.records.reproduction import Target, Targets
from bot.specs.policies.training import FILE, read_training_policy


def run(_event: Event, job: Job) -> None:
    """Train each target of this job's part; one that fails does not stop the others."""
    made = Targets.parse((job.out / "plan.json").read_bytes(), source="out/plan.json")
    known, failed = {one.key: one for one in made.targets}, []
    for key in models_of(job.inputs.get("model", "")):
        if key not in known:
            raise UserError(f"{key!r} is no target of this run", code="not_planned")
        one = known[key]
        inside = at_head(job, one.number, one.head_sha)
        try:
            _train(one, inside)
        except Exception as error:
            failed.append(key)
            said = OUT_OF_MEMORY if isinstance(error, MemoryError) else error
            write_failure(said, one.model, one.head_sha, job.out / key, inside)
    if failed:
        raise UserError(f"not trained: {', '.join(failed)}", hint="The lines above say why.", code="training_failed")


def _train(one: Target, job: Job) -> None:
    from bot.adapters.limits import Limits
    from bot.adapters.workbench import within
    from bot.evaluate.step import evaluate

    ports, folder = job.ports, job.out / one.key
    asked = asked_of(one.model, one.head_sha, job)
    policy = read_training_policy(ports.git.read(job.default_sha, FILE))
    limits = Limits(policy.memory_bytes, policy.table_bytes)
    planned = planned_at(one.number, one.head_sha, one.model, job)
    with (
        tempfile.TemporaryDirectory(prefix="mlbot-") as name,
        within(limits.process(asked.spec.resources.memory_bytes)),
    ):
        data = Path(name, "head")
        ports.data.fetch(planned.data_files, data)
        training = trained_anew(hashed(planned, data), asked, data, folder, policy, job)
        where = {env: _champion(env, one, Path(name, env), job) for env in asked.spec.environments}
        result = evaluate(
            asked.spec, training, folder, data, where, asked.gates, loaders=loaders(limits),
            policy_digest=asked.policy_digest, contract=asked.contract, now=ports.clock.now(),
            run={"id": ports.run.id, "attempt": ports.run.attempt, "url": ports.run.url},
        )  # fmt: skip
    (folder / "evaluation.json").write_bytes(result.canonical())
    job.say(f"{one.model}: {training.artifact_digest}")


def _champion(environment: str, one: Target, into: Path, job: Job) -> Path | str:
    """What the evaluation was compared with in an environment; else why with nothing, in the words of then."""
    ledger = Ledger(job.ports.ledger)
    then = ledger.evaluation(one.model, one.inputs_digest, one.evaluation_digest)
    if then is None:
        raise UserError("the ledger does not hold the evaluation", code="evaluation_missing")
    known = then.measured.baselines.get(environment) if then.measured is not None else None
    missing = {gap.environment: gap.reason for gap in then.missing_baselines}
    if known is None or known.artifact_digest is None:
        return missing.get(environment, NOTHING_DEPLOYED)
    for release in promotions(one.model, job.ports):
        if release.artifact_digest == known.artifact_digest:
            pointer = ledger.pointer(one.model, release.inputs_digest, release.evaluation_digest)
            if pointer is not None:
                job.ports.artifacts.fetch(pointer, into)
                return into
    raise UserError(f"the ledger does not hold what was live in {environment} then", code="artifact_missing")
