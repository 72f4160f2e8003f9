"""Who may speak in which role: roles held, and roles lent for a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.decide.case import Case, moment
from bot.records.facts import Delegation
from bot.specs.policies.words import seconds


@dataclass(frozen=True)
class Power:
    """A role of a person; `lender` is who lent it, None when it is the person's own."""

    person: int
    role: str
    lender: int | None = None


def powers_of(person: int, case: Case) -> tuple[Power, ...]:
    """Own roles first, then lent ones."""
    own = tuple(Power(person, role) for role in sorted(case.holding(person).held))
    lent = tuple(
        Power(person, one.role, one.delegator)
        for one in case.facts.delegations
        if one.delegate == person and valid(one, case)
    )
    return (*own, *(power for power in lent if power.role not in {mine.role for mine in own}))


def electorate(counted: Collection[int], banned: Collection[int], case: Case) -> dict[int, tuple[Power, ...]]:
    """Powers of everybody whose approval counts.

    A lent role does not count when its lender is banned from approving, has approved too, or lent it to somebody else
    of the counted (the lowest id stands): one principal is one voice.
    """
    result: dict[int, tuple[Power, ...]] = {}
    spent: set[int | None] = {*banned, *counted}
    for person in sorted(counted):
        free = tuple(one for one in powers_of(person, case) if one.lender is None or one.lender not in spent)
        spent |= {one.lender for one in free if one.lender is not None}
        result[person] = free
    return result


def lenders(powers: Mapping[int, tuple[Power, ...]]) -> set[int]:
    """In whose name somebody speaks, besides their own."""
    return {one.lender for found in powers.values() for one in found if one.lender is not None}


def valid(one: Delegation, case: Case) -> bool:
    """Whether a delegation counts now: allowed, not revoked, begun, not over, and the lender still holds the role.

    Only a role of one's own can be lent: `holding` knows no lent roles, hence no chain.
    """
    rule = case.approvals.delegation
    if rule is None or one.revoked or one.role not in rule.roles or not one.reason.strip():
        return False
    since, until = moment(one.since), moment(one.until)
    if (until - since).total_seconds() > seconds(rule.max_duration) or one.delegator == one.delegate:
        return False
    return since <= case.now < until and one.role in case.holding(one.delegator).held
