"""`promoter_cannot_exist`: separation of duties leaves nobody who could promote."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.decide.lint.finding import Finding, people
from bot.specs.policies import Policies

NAME = "promoter_cannot_exist"


def find(policies: Policies, _now: datetime) -> Iterator[Finding]:
    """Promoters who must not be approvers, where every promoter must approve."""
    for name, environment in policies.environments.environments.items():
        able = people(environment.promoters, policies)
        apart = [
            one.name
            for one in policies.approvals.separation_of_duties
            if (not one.environments or name in one.environments) and {"approver", "promoter"} <= set(one.distinct)
        ]
        for line in environment.approvals if apart and able is not None else ():
            approvers = people(line.any_role, policies)
            if approvers is not None and able is not None and len(approvers | able) <= line.count:
                place = policies.place("environments.yaml", "environments", name, "promoters")
                message = f"`{apart[0]}` leaves nobody to promote to {name}: all who may must approve"
                yield Finding(NAME, "error", message, "Add people to the roles.", place)
