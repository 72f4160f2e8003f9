"""`always: true` holds for every change."""

from __future__ import annotations

from bot.decide.case import Case, Scope


def holds(wanted: bool, _scope: Scope, _case: Case) -> bool:
    """Whether it holds for this part of the change."""
    return wanted
