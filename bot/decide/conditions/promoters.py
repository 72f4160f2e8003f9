"""`promoters`: somebody who may has asked for it, or the policy promotes by itself."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.reasons import node
from bot.decide.wording import listed
from bot.records.decision import Node
from bot.specs.policies.environments import Environment


def judge(environment: Environment, _scope: Scope, case: Case) -> Node | None:
    """The role is asked for now, not when the command was written."""
    asked = case.facts.asked
    members = case.members(environment.promoters)
    if asked.by is None:
        if environment.auto_promote:
            return node("promoters", "approved", "approved", "The policy promotes by itself.")
        sentence = f"Nobody has asked for it. Who can: {listed(members)}."
        return node("promoters", "pending", "promoter_missing", sentence, who=members)
    answer = case.holds_any(asked.by, environment.promoters)
    login = case.login(asked.by)
    if answer is None:
        return node("promoters", "error", "role_unknown", f"GitHub did not say whether {login} may promote.")
    if not answer:
        sentence = f"{login} may not promote to {case.facts.subject}. Who can: {listed(members)}."
        return node("promoters", "rejected", "promoter_missing", sentence, who=members)
    return node("promoters", "approved", "approved", f"{login} asked for it.")
