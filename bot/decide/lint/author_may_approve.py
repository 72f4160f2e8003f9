"""`author_may_approve`: an author's own approval counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.decide.lint.finding import Finding
from bot.specs.policies import Policies

NAME = "author_may_approve"


def find(policies: Policies, _now: datetime) -> Iterator[Finding]:
    """By the defaults, or by one rule."""
    defaults = policies.approvals.defaults
    if "author" not in defaults.exclude_approvers:
        place = policies.place("approvals.yaml", "defaults", "exclude_approvers")
        yield Finding(NAME, "warning", "authors may approve their own change", "Add `author`.", place)
    for index, rule in enumerate(policies.approvals.rules):
        if rule.exclude_approvers is not None and "author" not in rule.exclude_approvers:
            place = policies.place("approvals.yaml", "rules", index, "exclude_approvers")
            yield Finding(NAME, "warning", f"authors may approve for `{rule.name}`", "Add `author`.", place)
