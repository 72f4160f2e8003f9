"""Whether a stored evaluation still says what a new one would: same inputs, same gates, same champions."""

from __future__ import annotations

from bot.ledger import Environments, Ledger
from bot.pipeline.job import Job
from bot.ports import Ports
from bot.records.base import sha256
from bot.records.evaluation import NOTHING_DEPLOYED, Evaluation
from bot.records.plan import Planned
from bot.specs.model import ModelSpec, read_model_spec

GATES = "policies/gates.yaml"


def gates_digest(job: Job) -> str:
    """SHA-256 of policies/gates.yaml of the default branch."""
    return sha256(job.ports.git.read(job.default_sha, GATES) or b"")


def live_digest(environment: str, model: str, ports: Ports) -> str | None:
    """Digest of the artifact that is live, None when nothing is."""
    live = Environments(ports.environments).live(environment, model)
    return None if live is None else live.artifact_digest


def known(one: Planned, ports: Ports) -> Evaluation | None:
    """The newest stored evaluation of the same inputs; None when `mlbot gc` has removed its artifact."""
    ledger = Ledger(ports.ledger)
    if one.known_evaluation is None or ledger.is_removed(one.known_evaluation):
        return None
    return ledger.evaluation(one.model, one.inputs_digest, one.known_evaluation)


def spec_at(one: Planned, head: str, ports: Ports) -> ModelSpec:
    """The spec as the pull request has it."""
    path = f"models/{one.model}/model.yaml"
    return read_model_spec(ports.git.read(head, path) or b"", path)


def is_current(one: Planned, head: str, job: Job) -> bool:
    """False without a stored evaluation, when it holds no numbers for a gate of now, and when what is live changed."""
    from bot.pipeline.again import judged_again  # which asks this module what is live

    found = known(one, job.ports)
    if found is None or judged_again(found, head, job)[1]:
        return False
    environments = spec_at(one, head, job.ports).environments
    return all(_seen(name, found) == live_digest(name, one.model, job.ports) for name in environments)


def _seen(environment: str, found: Evaluation) -> str | None:
    for one in found.comparisons:
        if one.baseline == environment:
            return one.baseline_artifact_digest
    missing = [one for one in found.missing_baselines if one.environment == environment]
    return None if missing and missing[0].reason == NOTHING_DEPLOYED else "unknown"
