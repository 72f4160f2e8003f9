"""`review_overdue`: while the review of a break-glass promotion is overdue, nothing is promoted."""

from __future__ import annotations

from bot.decide.case import Case, Scope, moment
from bot.decide.reasons import node
from bot.decide.wording import listed
from bot.records.decision import Node
from bot.specs.policies.environments import Environment


def judge(_environment: Environment, _scope: Scope, case: Case) -> Node | None:
    """Of the same environment."""
    rule = case.policies.environments.break_glass
    late = [
        use.id
        for use in case.facts.break_glass
        if use.environment == case.facts.subject and not use.reviewed and moment(use.review_due) <= case.now
    ]
    if not late:
        return None
    who = case.members((rule.review.role,)) if rule else ()
    sentence = f"The review of break-glass {listed(late)} is overdue."
    return node("review_overdue", "pending", "review_overdue", sentence, who=who)
