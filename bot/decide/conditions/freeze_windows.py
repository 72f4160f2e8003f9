"""`freeze_windows`: closed times of an environment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.decide.case import Case, Scope
from bot.decide.reasons import node
from bot.decide.windows import is_open, next_opening
from bot.records.decision import Node
from bot.specs.policies.environments import Environment, Window


def judge(_environment: Environment, _scope: Scope, case: Case) -> Node | None:
    """A deny window closes; where there are allow windows, one of them must be open."""
    action, subject = case.facts.asked.action, case.facts.subject
    windows = applying(case.policies.environments.freeze_windows, subject, action)
    sentence = closed(windows, case.now)
    if sentence is not None:
        return node("freeze_windows", "pending", "frozen", sentence, who=("time",))
    return node("freeze_windows", "approved", "approved", "No freeze.") if windows else None


def applying(windows: Iterable[Window], environment: str, action: str) -> list[Window]:
    """The windows that say something about an action in an environment."""
    return [one for one in windows if environment in one.environments and action not in one.exempt_actions]


def closed(windows: Iterable[Window], now: datetime) -> str | None:
    """Why these windows let nothing through now, None when they do."""
    windows = list(windows)
    for window in windows:
        if window.kind == "deny" and is_open(window, now):
            return f"Freeze {window.name}{f': {window.reason}' if window.reason else ''}."
    allow = [one for one in windows if one.kind == "allow"]
    if not allow or any(is_open(one, now) for one in allow):
        return None
    opens = min((found for one in allow if (found := next_opening(one, now))), default=None)
    return "No allow window is open" + (f"; the next opens {opens:%Y-%m-%d %H:%M %Z}." if opens else ", ever.")
