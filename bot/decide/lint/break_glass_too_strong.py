"""`break_glass_too_strong`: break-glass that may pass what nobody may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.decide.lint.finding import Finding, people
from bot.specs.policies import Policies

NAME = "break_glass_too_strong"
NEVER = {"provenance", "revoked-artifact", "separation_of_duties"}


def find(policies: Policies, _now: datetime) -> Iterator[Finding]:
    """The bot never lets them be passed; a policy that reads otherwise misleads."""
    rule = policies.environments.break_glass
    if rule is None:
        return
    place = policies.place("environments.yaml", "break_glass")
    missing = sorted(NEVER - set(rule.never_bypasses))
    if missing:
        message = f"`never_bypasses` leaves out {', '.join(missing)}, which is never passed"
        yield Finding(NAME, "error", message, f"Write never_bypasses: [{', '.join(sorted(NEVER))}].", place)
    able = people(rule.roles, policies)
    if able is not None and len(able) < rule.min_people:
        message = f"break-glass needs {rule.min_people} people, and only {len(able)} may"
        yield Finding(NAME, "error", message, "Add people to its roles.", place)
    reviewers = people((rule.review.role,), policies)
    if able is not None and reviewers is not None and reviewers <= able:
        message = "everybody who reviews break-glass may also use it"
        yield Finding(NAME, "warning", message, "Let another role review.", place)
