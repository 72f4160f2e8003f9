"""`merged`: only what is on the base branch is promoted."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.globs import fits_branch
from bot.decide.reasons import node
from bot.records.decision import Node
from bot.specs.policies.environments import Environment


def judge(environment: Environment, _scope: Scope, case: Case) -> Node | None:
    """Merged, and into a branch that the environment takes from."""
    pull_request = case.facts.pull_request
    patterns, default = environment.allowed_base_branches, pull_request.default_branch
    if not fits_branch(pull_request.base_ref, patterns, default):
        sentence = f"{case.facts.subject} does not take from branch {pull_request.base_ref}."
        if not pull_request.merged:
            return node("merged", "rejected", "base_not_allowed", sentence, who=(pull_request.author.login,))
        sentence += " Name the branch in `allowed_base_branches`, or bring the change to one that is named."
        return node("merged", "rejected", "base_not_allowed", sentence, who=("policies/environments.yaml",))
    if not pull_request.merged:
        return node(
            "merged", "pending", "not_merged", "The pull request is not merged yet.", who=("whoever may merge",)
        )
    return node("merged", "approved", "approved", f"Merged into {pull_request.base_ref}.")
