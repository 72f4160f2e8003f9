"""`check_by_name_only`: a check of GitHub Actions that any branch's workflow can report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.decide.lint.finding import Finding
from bot.specs.policies import Policies

NAME = "check_by_name_only"
ACTIONS = 15368  # https://api.github.com/apps/github-actions
ACTIONS_ACCOUNT = 41898282  # https://api.github.com/users/github-actions[bot]


def find(policies: Policies, _now: datetime) -> Iterator[Finding]:
    """Every workflow of a repository reports as the same app."""
    for index, rule in enumerate(policies.approvals.rules):
        for number, check in enumerate(rule.require.checks):
            place = policies.place("approvals.yaml", "rules", index, "require", "checks", number)
            if check.reported_by is not None and check.reported_by.endswith(f"#{ACTIONS_ACCOUNT}"):
                message = f"any branch's workflow can set the status `{check.name}`"
                yield Finding(NAME, "error", message, "Name the account of an app of your own.", place)
            missing = [key for key in ("workflow", "ref", "events") if getattr(check, key) is None]
            if check.app_id == ACTIONS and missing:
                message = f"any branch can report check `{check.name}`: {', '.join(missing)} not said"
                hint = "Name workflow, ref (refs/heads/main) and events."
                yield Finding(NAME, "error", message, hint, place)
