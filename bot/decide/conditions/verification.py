"""`verification`: the environment before was verified with this artifact, lately."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.reasons import node
from bot.decide.voices import is_older
from bot.decide.wording import listed
from bot.records.decision import Node
from bot.specs.policies.environments import Environment


def judge(environment: Environment, scope: Scope, case: Case) -> Node | None:
    """The last result counts; an old one does not."""
    rule = environment.verification
    if rule is None or scope.model is None:
        return None
    results = [
        one
        for before in case.facts.environments
        if before.name in environment.promote_from
        for one in before.verifications
        if one.model == scope.model.model and one.artifact_digest == scope.model.artifact_digest
    ]
    last = max(results, key=lambda one: one.at, default=None)
    where = listed(environment.promote_from) or "the environment before"
    if last is None or is_older(last.at, rule.max_age, case.now):
        sentence = f"{rule.workflow} has not verified this artifact in {where} within {rule.max_age}."
        return node("verification", "pending", "not_verified", sentence, who=(rule.workflow,))
    if last.verdict != "passed":
        sentence = f"{rule.workflow} ended with {last.verdict} in {where}."
        return node("verification", "rejected", "not_verified", sentence, who=(rule.workflow,))
    return node("verification", "approved", "approved", f"Verified in {where}.")
