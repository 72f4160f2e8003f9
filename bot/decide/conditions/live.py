"""Since when an artifact is live in the environments before."""

from __future__ import annotations

from datetime import datetime

from bot.decide.case import Case, Scope, moment
from bot.specs.policies.environments import Environment


def live_since(environment: Environment, scope: Scope, case: Case) -> datetime | None:
    """The earliest time since which this very artifact is live in one of `promote_from`; None when it is in none."""
    times = [
        moment(live.since)
        for before in case.facts.environments
        if before.name in environment.promote_from
        for live in before.live
        if scope.model and live.model == scope.model.model and live.artifact_digest == scope.model.artifact_digest
    ]
    return min(times, default=None)
