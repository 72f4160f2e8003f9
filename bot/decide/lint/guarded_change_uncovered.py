"""`guarded_change_uncovered`: a change of policies, workflows, evaluator or data remote that few people see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.decide.case import Case
from bot.decide.lint.finding import Finding
from bot.decide.predicates import holds
from bot.decide.rehearse import WEDNESDAY, rehearsed
from bot.specs.policies import Policies
from bot.specs.policies.tests import Given

NAME = "guarded_change_uncovered"
KINDS = ("policy", "workflow", "evaluator", "code", "data_remote")


def find(policies: Policies, _now: datetime) -> Iterator[Finding]:
    """Some rule that asks for approvals must apply to a pull request that changes nothing else."""
    for kind in KINDS:
        given = Given.model_validate({"change_kinds": (kind,), "models": ()})
        case = Case(rehearsed(given, policies, WEDNESDAY), policies, WEDNESDAY)
        rules = [
            rule.name
            for rule in policies.approvals.rules
            if rule.require.approvals and any(holds(rule.when, scope, case) for scope in case.scopes)
        ]
        if not rules:
            message = f"no rule asks for approvals when only {kind} changes"
            hint = f"Add a rule with `when: {{change_kinds: [{kind}]}}`."
            yield Finding(NAME, "error", message, hint, policies.place("approvals.yaml", "rules"))
