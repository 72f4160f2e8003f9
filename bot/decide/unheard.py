"""Why an approval that somebody has just given counts nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from bot.decide.approvers import Ballot, ballot, why_uncounted
from bot.decide.case import Case, Scope
from bot.decide.conditions import approvals
from bot.decide.predicates import holds
from bot.records.decision import Node
from bot.specs.policies.approvals import Rule


def why_unheard(opinion_id: str, case: Case) -> Node | None:
    """The first rule's reason; None when the approval fills a place somewhere, or no rule asks for one."""
    reasons = [
        why_uncounted(opinion_id, rule, votes, scope, case)
        for scope in case.scopes
        for rule, votes in _asked(scope, case)
    ]
    return None if None in reasons else next(iter(reasons), None)


def _asked(scope: Scope, case: Case) -> Iterator[tuple[Rule, Ballot]]:
    """The rules that ask for approvals of this part, with who gave some."""
    if case.facts.subject != "merge":
        environment = case.policies.environments.environments.get(case.facts.subject)
        if environment is not None and environment.approvals:
            yield approvals.asked(environment, scope, case)
        return
    for rule in case.approvals.rules:
        if rule.require.approvals and holds(rule.when, scope, case):
            yield rule, ballot(rule, scope, case)
