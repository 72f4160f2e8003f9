"""`verification`: the environment before was verified with this artifact lately, and other runs trained it again."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.combine import all_of
from bot.decide.reasons import node
from bot.decide.voices import is_older
from bot.decide.wording import listed
from bot.records.decision import Node
from bot.records.facts import ModelFact
from bot.specs.policies.environments import Environment, VerificationRule

NAME = "verification"


def judge(environment: Environment, scope: Scope, case: Case) -> Node | None:
    """Each of the two that the policy asks for."""
    rule, model = environment.verification, scope.model
    if rule is None or model is None:
        return None
    found = [_environment(environment, rule, model, case), _runs(rule, model)]
    nodes = [one for one in found if one is not None]
    return nodes[0] if len(nodes) == 1 else all_of(NAME, nodes)


def _runs(rule: VerificationRule, model: ModelFact) -> Node | None:
    """A run counts once, however often it was tried; a difference rejects the evaluation itself."""
    if not rule.reproduced:
        return None
    found = {one.run_id: one for one in model.reproduced if one.outcome != "differs"}
    if len(found) < rule.reproduced:
        sentence = f"{len(found)} of {rule.reproduced} other runs trained {model.model} again and came to the same."
        return node(NAME, "pending", "reproduction_missing", sentence, who=("whoever may /reproduce",))
    where = listed(f"run {one.run_id} on {one.runner} ({one.architecture})" for one in found.values())
    return node(NAME, "approved", "approved", f"Trained again with the same result: {where}.")


def _environment(environment: Environment, rule: VerificationRule, model: ModelFact, case: Case) -> Node | None:
    """The last result counts; an old one does not."""
    if rule.workflow is None or rule.max_age is None:
        return None
    results = [
        one
        for before in case.facts.environments
        if before.name in environment.promote_from
        for one in before.verifications
        if one.model == model.model and one.artifact_digest == model.artifact_digest
    ]
    last = max(results, key=lambda one: one.at, default=None)
    where = listed(environment.promote_from) or "the environment before"
    if last is None or is_older(last.at, rule.max_age, case.now):
        sentence = f"{rule.workflow} has not verified this artifact in {where} within {rule.max_age}."
        return node(NAME, "pending", "not_verified", sentence, who=(rule.workflow,))
    if last.verdict != "passed":
        sentence = f"{rule.workflow} ended with {last.verdict} in {where}."
        return node(NAME, "rejected", "not_verified", sentence, who=(rule.workflow,))
    return node(NAME, "approved", "approved", f"Verified in {where}.")
