"""`environment_cycle`: environments that wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.decide.lint.finding import Finding
from bot.specs.policies import Policies

NAME = "environment_cycle"


def find(policies: Policies, _now: datetime) -> Iterator[Finding]:
    """An environment that only such environments lead to is never reached."""
    known = policies.environments.environments
    reached: set[str] = set()
    while True:
        more = {name for name, one in known.items() if not one.promote_from or reached & set(one.promote_from)}
        if more == reached:
            break
        reached = more
    for name in known:
        if name not in reached:
            place = policies.place("environments.yaml", "environments", name, "promote_from")
            message = f"nothing can ever be promoted to {name}"
            yield Finding(NAME, "error", message, "Let a first environment have no `promote_from`.", place)
