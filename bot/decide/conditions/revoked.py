"""`revoked`: a revoked artifact goes nowhere."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.reasons import node
from bot.records.decision import Node
from bot.specs.policies.environments import Environment


def judge(_environment: Environment, scope: Scope, case: Case) -> Node | None:
    """Also without a veto for it in the policy."""
    asked = case.facts.asked.artifact_digests.get(scope.name)
    own = scope.model.artifact_digest if scope.model else None
    if {own, asked} & set(case.facts.revoked):
        return node("revoked", "rejected", "revoked", f"The artifact of {scope.name} was revoked.")
    return None
