"""`risk_tier: [high]` holds when the change is in one of the tiers."""

from __future__ import annotations

from bot.decide.case import Case, Scope
from bot.decide.tiers import tier_of


def holds(wanted: tuple[str, ...], scope: Scope, case: Case) -> bool:
    """Whether it holds for this part of the change."""
    return tier_of(scope, case) in wanted
