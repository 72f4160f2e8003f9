"""`approvals` of an environment: people who approve exactly this artifact for exactly this environment."""

from __future__ import annotations

from functools import partial

from bot.decide.approvers import Ballot, names, requirement_nodes
from bot.decide.binding import unbound
from bot.decide.case import Case, Scope
from bot.decide.combine import all_of
from bot.decide.exclusions import excluded
from bot.decide.powers import electorate
from bot.decide.quorum import Place, Seating, seating
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
    rule, votes = _rule(environment), _votes(scope, case)
    seats = _seats(rule, votes, scope, case)
    return all_of(NAME, requirement_nodes(rule, seats, votes.seated(seats), scope, case))


def votes_for(environment: Environment, scope: Scope, case: Case) -> Ballot:
    """Approvals that count for the environment, each lent role with the one who speaks for its lender."""
    votes = _votes(scope, case)
    return votes.seated(_seats(_rule(environment), votes, scope, case))


def asked(environment: Environment, scope: Scope, case: Case) -> tuple[Rule, Ballot]:
    """What the environment asks for as a rule, and who approved for it."""
    return _rule(environment), _votes(scope, case)


def _rule(environment: Environment) -> Rule:
    require = Require.model_construct(approvals=environment.approvals)
    return Rule.model_construct(name=NAME, when=When(always=True), require=require)


def _seats(rule: Rule, votes: Ballot, scope: Scope, case: Case) -> Seating:
    wanted = [Place(NAME, index, NAME) for index, line in enumerate(rule.require.approvals) for _ in range(line.count)]
    return seating(wanted, votes.people, partial(names, rule=rule, votes=votes, scope=scope, case=case))


def _votes(scope: Scope, case: Case) -> Ballot:
    """Approvals that name the environment, and what takes any approval back."""
    subject, defaults = case.facts.subject, case.approvals.defaults
    wanted = [one for one in case.opinions if one.environment == subject or one.kind in ("withdraw", "reject")]
    banned = excluded(defaults.exclude_approvers, case)

    def binding(opinion: Opinion) -> str | None:
        return unbound(opinion, scope, case)

    found = fold(wanted, case, binding, defaults.approval_methods, banned, lambda _one: False)
    return Ballot(found, electorate(found.counted, banned, case), frozenset(banned))
