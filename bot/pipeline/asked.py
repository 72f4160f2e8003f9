"""What is asked of a model at a head: its spec, its contract, and the gates of the default branch with its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.pipeline.job import Job
from bot.pipeline.past import counted, earlier_of, looks_at
from bot.pipeline.reuse import GATES
from bot.ports import Ports
from bot.records.base import sha256
from bot.records.training import Training
from bot.specs.contract import Contract, read_contract
from bot.specs.gates import Gates, read_gates, with_spec_gates
from bot.specs.model import ModelSpec, model_spec
from bot.specs.yaml import read_yaml

if TYPE_CHECKING:
    from bot.evaluate.judged import Known


@dataclass(frozen=True)
class Asked:
    """`contract` None: there is no schema.yaml. `policy_digest` is the SHA-256 of policies/gates.yaml."""

    spec: ModelSpec
    contract: Contract | None
    gates: Gates
    policy_digest: str


def asked_of(model: str, head: str, job: Job) -> Asked:
    """Raises UserError with the place of what cannot be read; code `policy_missing` without gates."""
    git, folder = job.ports.git, f"models/{model}"
    document = read_yaml(git.read(head, f"{folder}/model.yaml") or b"", f"{folder}/model.yaml")
    spec = model_spec(document, f"{folder}/model.yaml")
    schema = git.read(head, f"{folder}/schema.yaml")
    policy = git.read(job.default_sha, GATES)
    if policy is None:
        raise UserError(f"{GATES} is not on the default branch", hint="`mlbot init` writes one.", code="policy_missing")
    gates = with_spec_gates(read_gates(policy, GATES), document)
    contract = None if schema is None else read_contract(schema, f"{folder}/schema.yaml")
    return Asked(spec, contract, gates, sha256(policy))


def known_of(training: Training, asked: Asked, ports: Ports, sketch: Sequence[str] = ()) -> Known:
    """What the ledger holds of the test rows of a training; `sketch` (of their ids) finds them in other test sets."""
    from bot.evaluate.budget import looks_back, passed_gates
    from bot.evaluate.judged import Known
    from bot.evaluate.ladder import best_released
    from bot.evaluate.metrics import canonical

    metric = canonical(asked.spec.metrics.primary)
    looks = looks_at(training, metric, sketch, ports)
    earlier = earlier_of(looks, training.target, ports) if looks_back(asked.gates) else []
    best = best_released(earlier, metric)
    return Known({metric: counted(looks)}, {} if best is None else {metric: best}, passed_gates(earlier))
