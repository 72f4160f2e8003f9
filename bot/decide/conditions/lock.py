"""`lock`: somebody has stopped promotions to the environment."""

from __future__ import annotations

from bot.decide.allowed import who_may
from bot.decide.case import Case, Scope
from bot.decide.reasons import node
from bot.records.decision import Node
from bot.specs.policies.environments import Environment


def judge(_environment: Environment, _scope: Scope, case: Case) -> Node | None:
    """Released by the holder or by whoever may unlock."""
    for found in case.facts.environments:
        if found.name == case.facts.subject and found.lock:
            holder = found.lock.holder.login
            sentence = f"{holder} locked {found.name}: {found.lock.reason}"
            who = dict.fromkeys((holder, *who_may("unlock", case)))
            return node("lock", "rejected", "locked", sentence, who=who)
    return None
