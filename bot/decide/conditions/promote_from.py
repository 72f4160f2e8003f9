"""`promote_from`: the artifact must be live in the environment before."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.conditions.live import live_since
from bot.decide.reasons import node
from bot.decide.wording import listed
from bot.records.decision import Node
from bot.specs.policies.environments import Environment


def judge(environment: Environment, scope: Scope, case: Case) -> Node | None:
    """The same artifact, by digest."""
    if not environment.promote_from:
        return None
    before = listed(environment.promote_from)
    if live_since(environment, scope, case) is None:
        sentence = f"This artifact of {scope.name} is not live in {before}."
        return node("promote_from", "pending", "not_in_previous", sentence, who=(f"whoever may promote to {before}",))
    return node("promote_from", "approved", "approved", f"Live in {before}.")
