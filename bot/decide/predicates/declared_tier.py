"""`declared_tier: [high]` holds for models whose own spec declares it."""

from __future__ import annotations

from bot.decide.case import Case, Scope


def holds(wanted: tuple[str, ...], scope: Scope, _case: Case) -> bool:
    """Whether it holds for this part of the change."""
    return scope.model is not None and scope.model.risk_tier in wanted
