"""`merged`: only what is on the base branch is promoted."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.globs import fits
from bot.decide.reasons import node
from bot.records.decision import Node
from bot.specs.policies.environments import Environment


def judge(environment: Environment, _scope: Scope, case: Case) -> Node | None:
    """Merged, and into a branch that the environment takes from."""
    pull_request = case.facts.pull_request
    if not fits(pull_request.base_ref, environment.allowed_base_branches):
        sentence = f"{case.facts.subject} does not take from branch {pull_request.base_ref}."
        return node("merged", "rejected", "base_not_allowed", sentence)
    if not pull_request.merged:
        return node(
            "merged", "pending", "not_merged", "The pull request is not merged yet.", who=("whoever may merge",)
        )
    return node("merged", "approved", "approved", f"Merged into {pull_request.base_ref}.")
