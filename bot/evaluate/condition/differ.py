"""Fewer rows for two models that mostly agree: Bennett's bound for any condition (Renggli et al., MLSys 2019, 4.1).

A clause a*n + b*o + c*d is rewritten with the gap g = n - o, whose second moment is at most the share of rows on which
the models differ: t*g + r*n (or r*o) + c*d, t being as much of a and b as cancels. Bennett's inequality serves g and d,
Hoeffding's the rest, and the tolerance is divided so that all parts need the same rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.evaluate.condition.size import Plan, bennett_reach, bennett_rows, hoeffding_rows
from bot.specs.condition import Clause


@dataclass(frozen=True)
class Parts:
    """A clause by its parts: factors of the gap, of one accuracy, and of the share that differs; all at least 0."""

    gap: float
    accuracy: float
    differ: float

    @property
    def count(self) -> int:
        """Estimates that the clause needs."""
        return sum(factor > 0 for factor in (self.gap, self.accuracy, self.differ))


def parts_of(clause: Clause) -> Parts:
    """`n - 1.1*o` is the gap and a tenth of one accuracy."""
    n, o, d = clause.coefficients
    shared = min(abs(n), abs(o)) if n * o < 0 else 0.0
    return Parts(shared, abs(n) + abs(o) - 2 * shared, abs(d))


def is_helped(clause: Clause) -> bool:
    """Whether Bennett's bound says anything about the clause that Hoeffding's does not."""
    return bool(parts_of(clause).gap or clause.coefficients[2])


def is_unlabelled(clause: Clause) -> bool:
    """Whether no label is needed to measure it: it is about d alone."""
    return clause.coefficients[:2] == (0, 0)


def is_active(clauses: Sequence[Clause]) -> bool:
    """Whether labels of the rows on which the models differ are enough: no accuracy stands for itself."""
    return any(parts_of(one).gap for one in clauses) and not any(parts_of(one).accuracy for one in clauses)


def most_that_differ(clauses: Sequence[Clause]) -> float | None:
    """The share on which the models differ at most, once every clause `d < A +/- B` was seen below A + B: A + 2B."""
    limits = [
        (one.threshold + 2 * one.tolerance) / one.coefficients[2]
        for one in clauses
        if is_unlabelled(one) and one.coefficients[2] > 0 and one.relation == "<"
    ]
    return min(1.0, *limits) if limits else None


def rows_of_clause(clause: Clause, clauses: int, share: float, plan: Plan, *, known: bool = False) -> int:
    """Rows for one of so many clauses, when the models differ on at most `share` of the rows.

    With one clause, half of the error probability is for estimating the share on the way; none when it is `known`.
    """
    tested = 1 if known else max(2, clauses)
    parts = parts_of(clause)
    if parts == Parts(parts.gap, 0, 0):
        return bennett_rows(clause, share, plan, parts=2 * tested)
    log = plan.log_inverse_delta + math.log(tested * parts.count)
    low, high = 0, 1
    while _reach(parts, high, share, log, plan.sides) > clause.tolerance:
        low, high = high, 2 * high
    while high - low > 1:
        rows = (low + high) // 2
        low, high = (low, rows) if _reach(parts, rows, share, log, plan.sides) <= clause.tolerance else (rows, high)
    return high


def _reach(parts: Parts, rows: int, share: float, log: float, sides: int) -> float:
    """How far the clause's estimate may be off: the sum over its parts."""
    hoeffding = math.sqrt((log + math.log(sides)) / (2 * rows))
    return parts.accuracy * hoeffding + (parts.gap + parts.differ) * bennett_reach(share, rows, log + math.log(2))


def bennett_condition_rows(clauses: Sequence[Clause], share: float, plan: Plan, *, known: bool = False) -> int:
    """Rows for the whole condition; never more than Hoeffding's bound asks for."""
    wanted = max(rows_of_clause(clause, len(clauses), share, plan, known=known) for clause in clauses)
    return min(wanted, hoeffding_rows(clauses, plan))
