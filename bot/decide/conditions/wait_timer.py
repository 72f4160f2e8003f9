"""`wait_timer`: how long to wait after the promotion was asked for."""

from __future__ import annotations

from bot.decide.case import Case, Scope, moment
from bot.decide.reasons import node
from bot.decide.wording import span
from bot.records.decision import Node
from bot.specs.policies.environments import Environment
from bot.specs.policies.words import seconds


def judge(environment: Environment, _scope: Scope, case: Case) -> Node | None:
    """Not asked for yet: the whole time is to go."""
    wanted = seconds(environment.wait_timer)
    if wanted == 0:
        return None
    at = case.facts.asked.at
    left = wanted - (case.now - moment(at)).total_seconds() if at else wanted
    if left > 0:
        return node("wait_timer", "pending", "waiting", f"The wait timer runs: {span(left)} to go.", who=("time",))
    return node("wait_timer", "approved", "approved", f"Waited {environment.wait_timer}.")
