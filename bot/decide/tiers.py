"""A part of a change -> its risk tier: the first that matches, raised by labels, never lowered."""

from __future__ import annotations

from bot.decide.case import Case, Scope


def tier_of(scope: Scope, case: Case) -> str:
    """The name of the tier."""
    from bot.decide.predicates import holds  # the predicates include `risk_tier`, which asks here

    tiers = case.approvals.risk_tiers
    matched = next((index for index, tier in enumerate(tiers) if holds(tier.match, scope, case)), len(tiers) - 1)
    labels = {label.lower() for label in case.facts.pull_request.labels}
    raised = [index for index, tier in enumerate(tiers) if (tier.raised_by_label or "").lower() in labels]
    return tiers[min([matched, *raised])].name


def highest_tier(case: Case) -> str:
    """The highest tier of any part."""
    order = [tier.name for tier in case.approvals.risk_tiers]
    return min((tier_of(scope, case) for scope in case.scopes), key=order.index)
