"""`approvals` of an environment: people who approve exactly this artifact for exactly this environment."""

from __future__ import annotations

from bot.decide.approvers import Ballot, may_fill, requirement_node
from bot.decide.binding import unbound
from bot.decide.case import Case, Scope
from bot.decide.combine import all_of
from bot.decide.exclusions import excluded
from bot.decide.powers import electorate
from bot.decide.quorum import Place, empty_places
from bot.decide.voices import fold
from bot.records.decision import Node
from bot.records.facts import Opinion
from bot.specs.policies.approvals import Require, Rule
from bot.specs.policies.conditions import When
from bot.specs.policies.environments import Environment

NAME = "approvals"


def judge(environment: Environment, scope: Scope, case: Case) -> Node | None:
    """Counted as for a merge, but only approvals that name the environment."""
    if not environment.approvals:
        return None
    rule = Rule(name=NAME, when=When(always=True), require=Require(approvals=environment.approvals))
    votes = votes_for(scope, case)
    wanted = [Place(NAME, index, NAME) for index, line in enumerate(environment.approvals) for _ in range(line.count)]
    empty = empty_places(
        wanted, votes.people, lambda who, place: may_fill(who, place, rule=rule, votes=votes, scope=scope, case=case)
    )
    lines = range(len(environment.approvals))
    missing = [sum(place.line == index for place in empty) for index in lines]
    return all_of(NAME, [requirement_node(index, missing[index], rule, votes, scope, case) for index in lines])


def votes_for(scope: Scope, case: Case) -> Ballot:
    """Approvals that name the environment, and what takes any approval back."""
    subject, defaults = case.facts.subject, case.approvals.defaults
    wanted = [one for one in case.opinions if one.environment == subject or one.kind in ("withdraw", "reject")]
    banned = excluded(defaults.exclude_approvers, case)

    def binding(opinion: Opinion) -> str | None:
        return unbound(opinion, scope, case)

    found = fold(wanted, case, binding, defaults.approval_methods, banned, lambda _one: False)
    return Ballot(found, electorate(found.counted, banned, case), frozenset(banned))
