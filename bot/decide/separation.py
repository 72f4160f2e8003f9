"""Separation of duties: parties that must be different people."""

from __future__ import annotations

from itertools import combinations

from bot.decide.case import Case
from bot.decide.exclusions import PARTIES
from bot.decide.powers import powers_of
from bot.decide.reasons import node
from bot.decide.wording import listed
from bot.records.decision import Node
from bot.specs.policies.approvals import Separation


def separation_nodes(case: Case, approvers: frozenset[int]) -> list[Node]:
    """One node a separation that holds for the subject; `approvers` are those whose approval counts."""
    subject = case.facts.subject
    wanted = [one for one in case.approvals.separation_of_duties if not one.environments or subject in one.environments]
    return [_judge(one, case, approvers) for one in wanted]


def _judge(one: Separation, case: Case, approvers: frozenset[int]) -> Node:
    parties = [(names, _people(names, case, approvers)) for names in map(_names, one.distinct)]
    for (first, left), (second, right) in combinations(parties, 2):
        both = sorted(left & right)
        if both:
            sentence = (
                f"{listed(map(case.login, both))} cannot be {' or '.join(first)} and {' or '.join(second)} at once."
            )
            return node(one.name, "pending", "sod_violation", sentence, who=("somebody else",))
    return node(one.name, "approved", "approved", "Different people.")


def _names(party: str | tuple[str, ...]) -> tuple[str, ...]:
    return (party,) if isinstance(party, str) else party


def _people(names: tuple[str, ...], case: Case, approvers: frozenset[int]) -> set[int]:
    found: set[int] = set()
    for name in names:
        if name == "approver":
            found |= approvers
        elif name == "promoter":
            found |= _promoters(case)
        else:
            found |= PARTIES[name](case)
    return found


def _promoters(case: Case) -> set[int]:
    """Who asked for the promotion, and who lent the role for it."""
    asked, environment = case.facts.asked.by, case.policies.environments.environments.get(case.facts.subject)
    if asked is None:
        return set()
    powers = [power for power in powers_of(asked, case) if environment and power.role in environment.promoters]
    is_own = any(power.lender is None for power in powers)
    return {asked} | {power.lender for power in powers if power.lender is not None and not is_own}
