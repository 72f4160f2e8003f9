"""`freeze_windows`: closed times of an environment."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.reasons import node
from bot.decide.windows import is_open, next_opening
from bot.records.decision import Node
from bot.specs.policies.environments import Environment


def judge(_environment: Environment, _scope: Scope, case: Case) -> Node | None:
    """A deny window closes; where there are allow windows, one of them must be open."""
    action, subject = case.facts.asked.action, case.facts.subject
    windows = [one for one in case.policies.environments.freeze_windows if subject in one.environments]
    windows = [one for one in windows if action not in one.exempt_actions]
    for window in windows:
        if window.kind == "deny" and is_open(window, case.now):
            sentence = f"Freeze {window.name}{f': {window.reason}' if window.reason else ''}."
            return node("freeze_windows", "pending", "frozen", sentence, who=("time",))
    allow = [one for one in windows if one.kind == "allow"]
    if allow and not any(is_open(one, case.now) for one in allow):
        opens = min((found for one in allow if (found := next_opening(one, case.now))), default=None)
        sentence = "No allow window is open" + (f"; the next opens {opens:%Y-%m-%d %H:%M %Z}." if opens else ", ever.")
        return node("freeze_windows", "pending", "frozen", sentence, who=("time",))
    return node("freeze_windows", "approved", "approved", "No freeze.") if windows else None
