"""`gate_not_asked`: models may be merged without an evaluation, or promoted without the merge gate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.decide.lint.finding import Finding
from bot.specs.policies import Policies

NAME = "gate_not_asked"


def find(policies: Policies, _now: datetime) -> Iterator[Finding]:
    """Both make the numbers decoration."""
    if not any(rule.require.evaluation for rule in policies.approvals.rules):
        place = policies.place("approvals.yaml", "rules")
        hint = "Add a rule with `require: {evaluation: passes}`."
        yield Finding(NAME, "warning", "no rule asks for an evaluation that passes", hint, place)
    for name, environment in policies.environments.environments.items():
        if not environment.requires_gates:
            place = policies.place("environments.yaml", "environments", name)
            message = f"{name} takes models that did not pass the merge gate"
            yield Finding(NAME, "warning", message, "Write requires_gates: [merge].", place)
