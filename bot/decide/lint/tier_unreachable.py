"""`tier_unreachable`: a risk tier behind one that always matches, and that no label raises to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.decide.lint.finding import Finding
from bot.specs.policies import Policies

NAME = "tier_unreachable"


def find(policies: Policies, _now: datetime) -> Iterator[Finding]:
    """The first that matches is taken."""
    tiers = policies.approvals.risk_tiers
    for index, tier in enumerate(tiers):
        before = [one.name for one in tiers[:index] if one.match.always or one.match == tier.match]
        if before:
            place = policies.place("approvals.yaml", "risk_tiers", index)
            message = f"tier `{tier.name}` is never reached: `{before[0]}` comes first"
            yield Finding(NAME, "error", message, "Order tiers from the highest to the lowest.", place)
