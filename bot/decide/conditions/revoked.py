"""`revoked`: a revoked artifact goes nowhere."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.reasons import node
from bot.records.decision import Node
from bot.specs.policies.environments import Environment


def judge(_environment: Environment, scope: Scope, case: Case) -> Node | None:
    """Also without a veto for it in the policy. A rollback goes away from what the pull request brought."""
    digests = {case.facts.asked.artifact_digests.get(scope.name)}
    if scope.model and case.facts.asked.action != "rollback":
        digests.add(scope.model.artifact_digest)
    if digests & set(case.facts.revoked):
        return node("revoked", "rejected", "revoked", f"The artifact of {scope.name} was revoked.")
    return None
