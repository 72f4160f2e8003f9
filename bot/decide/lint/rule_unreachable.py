"""`rule_unreachable`: a rule whose condition contradicts itself or asks for tiers that no change has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.decide.lint import tier_unreachable
from bot.decide.lint.finding import Finding
from bot.specs.policies import Policies
from bot.specs.policies.conditions import When

NAME = "rule_unreachable"


def find(policies: Policies, now: datetime) -> Iterator[Finding]:
    """What can be seen from the condition alone."""
    dead = {finding.message.split("`")[1] for finding in tier_unreachable.find(policies, now)}
    for index, rule in enumerate(policies.approvals.rules):
        why = _why(rule.when, dead)
        if why:
            place = policies.place("approvals.yaml", "rules", index, "when")
            yield Finding(NAME, "error", f"rule `{rule.name}` never applies: {why}", "Mend `when`.", place)


def _why(when: When, dead: set[str]) -> str | None:
    if when.risk_tier is not None and set(when.risk_tier) <= dead:
        return f"no change is in tier {' or '.join(when.risk_tier)}"
    if any(one.always or one.written() == when.written() == () for one in when.none_of or ()):
        return "`none_of` excludes everything"
    if when.models is not None and when.models_changed is False:
        return "it asks for models and for no models"
    positive = when.model_dump(exclude={"none_of", "any_of", "all_of"}, exclude_none=True)
    for one in when.none_of or ():
        other = one.model_dump(exclude_none=True)
        if other and all(positive.get(key) == value for key, value in other.items()):
            return "`none_of` excludes what it asks for"
    if when.any_of is not None and all(_why(one, dead) for one in when.any_of):
        return "no part of `any_of` can hold"
    return next((found for one in when.all_of or () if (found := _why(one, dead))), None)
