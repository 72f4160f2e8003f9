"""Who may speak in which role: roles held, and roles lent for a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.decide.case import Case


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
        for one in case.loans
        if one.delegate == person and one.role in case.holding(one.delegator).held
    )
    return (*own, *(power for power in lent if power.role not in {mine.role for mine in own}))


def electorate(counted: Collection[int], banned: Collection[int], case: Case) -> dict[int, tuple[Power, ...]]:
    """Powers of everybody whose approval counts. What the `banned` lent counts as little as what they say."""
    return {
        person: tuple(one for one in powers_of(person, case) if one.lender not in banned) for person in sorted(counted)
    }


def lenders(powers: Mapping[int, tuple[Power, ...]]) -> set[int]:
    """In whose name somebody speaks, besides their own."""
    return {one.lender for found in powers.values() for one in found if one.lender is not None}
