"""`veto_without_release`: a veto that only its maker can lift."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.decide.lint.finding import Finding
from bot.specs.policies import Policies

NAME = "veto_without_release"


def find(policies: Policies, _now: datetime) -> Iterator[Finding]:
    """Somebody who left cannot take it back."""
    for index, veto in enumerate(policies.approvals.vetoes):
        if not veto.release_roles and not veto.when.artifact_revoked:
            place = policies.place("approvals.yaml", "vetoes", index)
            message = f"only the person who made it can lift veto `{veto.name}`"
            yield Finding(NAME, "warning", message, "Name `release_roles`.", place)
