"""`soak_time`: how long the artifact must have been live in the environment before."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.conditions.live import live_since
from bot.decide.reasons import node
from bot.decide.wording import span
from bot.records.decision import Node
from bot.specs.policies.environments import Environment
from bot.specs.policies.words import seconds


def judge(environment: Environment, scope: Scope, case: Case) -> Node | None:
    """Counted from when it went live there."""
    wanted = seconds(environment.soak_time)
    if wanted == 0:
        return None
    since = live_since(environment, scope, case)
    left = wanted - (case.now - since).total_seconds() if since else wanted
    if left > 0:
        sentence = f"It soaks for {environment.soak_time}: {span(left)} to go."
        return node("soak_time", "pending", "soaking", sentence, who=("time",))
    return node("soak_time", "approved", "approved", f"It was live for {environment.soak_time}.")
