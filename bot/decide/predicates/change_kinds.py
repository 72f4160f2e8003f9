"""`change_kinds: [policy]` holds when any file of these kinds changed."""

from __future__ import annotations

from bot.decide.case import Case, Scope


def holds(wanted: tuple[str, ...], _scope: Scope, case: Case) -> bool:
    """Whether it holds for this part of the change."""
    return not set(wanted).isdisjoint(case.facts.change_kinds)
