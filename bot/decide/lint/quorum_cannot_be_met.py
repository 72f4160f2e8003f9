"""`quorum_cannot_be_met`: a requirement asks for more people than hold the role."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.decide.lint.finding import Finding, people
from bot.specs.policies import Policies
from bot.specs.policies.approvals import Requirement

NAME = "quorum_cannot_be_met"


def find(policies: Policies, _now: datetime) -> Iterator[Finding]:
    """With as many as the role has, an author among them makes it impossible: that is a warning."""
    for index, rule in enumerate(policies.approvals.rules):
        for line, requirement in enumerate(rule.require.approvals):
            path = ("rules", index, "require", "approvals", line)
            yield from _judge(requirement, policies, "approvals.yaml", path)
    for name, environment in policies.environments.environments.items():
        for line, requirement in enumerate(environment.approvals):
            yield from _judge(requirement, policies, "environments.yaml", ("environments", name, "approvals", line))


def _judge(wanted: Requirement, policies: Policies, file: str, path: tuple[str | int, ...]) -> Iterator[Finding]:
    able = people(wanted.any_role, policies)
    roles = " or ".join(wanted.any_role)
    place = policies.place(file, *path)
    if able is not None and len(able) < wanted.count:
        message = f"{wanted.count} people of {roles} are asked for, and only {len(able)} hold it"
        yield Finding(NAME, "error", message, f"Add people to {roles} in roles.yaml, or lower `count`.", place)
    elif able is not None and len(able) == wanted.count:
        message = f"everybody who is {roles} must approve, so none of them can ever be the author"
        yield Finding(NAME, "warning", message, f"Add people to {roles} in roles.yaml.", place)
