"""`models_changed: true` holds for the models of a change; `false` for a change without one."""

from __future__ import annotations

from bot.decide.case import Case, Scope


def holds(wanted: bool, scope: Scope, case: Case) -> bool:
    """Whether it holds for this part of the change."""
    return (scope.model is not None) if wanted else not case.facts.models
