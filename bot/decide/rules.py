"""One rule and one part of the change -> its verdict with everything that it asks for."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial

from bot.decide.approvers import Ballot, ballot, names, requirement_nodes
from bot.decide.case import Case, Scope
from bot.decide.checks import check_nodes
from bot.decide.combine import all_of
from bot.decide.evaluation import evaluation_node
from bot.decide.predicates import holds
from bot.decide.quorum import Place, seating
from bot.decide.reasons import node
from bot.records.decision import Node
from bot.specs.policies.approvals import Rule


@dataclass(frozen=True)
class Judged:
    """A rule's verdict, and the approvals with which it was reached (None when it asks for none).

    `votes` are all that count, before it was settled who speaks for whom.
    """

    rule: Rule
    node: Node
    ballot: Ballot | None = None
    votes: Ballot | None = None


def judge(rule: Rule, scope: Scope, case: Case) -> Judged:
    """A rule that does not apply drops out."""
    if not holds(rule.when, scope, case):
        sentence = "Does not apply to this change."
        return Judged(rule, node(rule.name, "not_applicable", "not_applicable", sentence))
    children: list[Node] = []
    votes = seated = None
    if rule.require.evaluation:
        children.append(evaluation_node(scope, case))
    if rule.require.approvals:
        votes = ballot(rule, scope, case)
        seats = seating(places(rule), votes.people, partial(names, rule=rule, votes=votes, scope=scope, case=case))
        seated = votes.seated(seats)
        children.extend(requirement_nodes(rule, seats, seated, scope, case))
    children.extend(check_nodes(rule.require.checks, case))
    return Judged(rule, all_of(rule.name, children), seated, votes)


def places(rule: Rule, group: Hashable | None = None) -> list[Place]:
    """The places that a rule's approvals fill. Without a group: its own, or one for each line."""
    return [
        Place(
            rule.name,
            index,
            group if group is not None else (rule.name, 0 if rule.require.distinct_approvers else index),
        )
        for index, requirement in enumerate(rule.require.approvals)
        for _ in range(requirement.count)
    ]
