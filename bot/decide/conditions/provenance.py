"""`provenance`: the ledger knows the artifact, and it is the one that the registry would deploy."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.reasons import node
from bot.decide.wording import short
from bot.records.decision import Node
from bot.specs.policies.environments import Environment


def judge(_environment: Environment, scope: Scope, case: Case) -> Node | None:
    """What would be deployed is what was evaluated."""
    model = scope.model
    if model is None:
        return None
    if model.artifact_digest is None or not model.attested:
        sentence = f"The ledger knows no artifact of {model.model} with these inputs."
        who = (f"whoever may {case.written('/retrain')}",)
        return node("provenance", "rejected", "not_attested", sentence, who=who)
    asked = case.facts.asked.artifact_digests.get(model.model, model.artifact_digest)
    if asked != model.artifact_digest:
        sentence = f"{short(asked)} was asked for, but {short(model.artifact_digest)} was evaluated and approved."
        return node("provenance", "rejected", "digest_mismatch", sentence)
    return node("provenance", "approved", "approved", f"The evaluated artifact {short(model.artifact_digest)}.")
