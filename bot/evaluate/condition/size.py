"""How many test rows a condition needs, and the smallest tolerance that given rows allow (Renggli et al., MLSys 2019).

Throughout, `delta` is 1 - reliability for all `steps` evaluations on one test set together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.specs.condition import Clause

Adaptivity = Literal["none", "full", "first_change"]


@dataclass(frozen=True)
class Plan:
    """What is promised: `reliability` over `steps` evaluations whose results are disclosed as `adaptivity` says.

    `none`: nobody sees a result before the last. `full`: every pass or fail is seen, so 2^steps histories are covered.
    `first_change`: the test set is retired at the first pass. `sides`: 1 bounds errors on the tested side only.
    """

    reliability: float
    steps: int = 1
    adaptivity: Adaptivity = "full"
    sides: Literal[1, 2] = 1

    @property
    def log_inverse_delta(self) -> float:
        """-ln of the error probability of one evaluation; kept as a logarithm since 2^steps overflows."""
        histories = self.steps * math.log(2) if self.adaptivity == "full" else math.log(self.steps)
        return -math.log1p(-self.reliability) + histories + math.log(self.sides)


def hoeffding_rows(clauses: Sequence[Clause], plan: Plan) -> int:
    """Rows for a conjunction: the largest clause, each at delta over their number."""
    return max(math.ceil(_rounded(_clause_rows(clause, len(clauses), plan))) for clause in clauses)


def _clause_rows(clause: Clause, clauses: int, plan: Plan) -> float:
    # the optimum gives each variable a tolerance in proportion to its factor, so that all need the same rows
    factors = [abs(factor) for factor in clause.coefficients if factor]
    log = plan.log_inverse_delta + math.log(clauses) + math.log(len(factors))
    return log * sum(factors) ** 2 / (2 * clause.tolerance**2)


def bennett_rows(clause: Clause, difference: float, plan: Plan, *, parts: int = 4) -> int:
    """Rows for `n - o > C +/- D` when the two models differ on at most the share `difference` of rows.

    `parts`: into how many the error probability is divided: 4 when `d` is tested on the way (two parts of two sides),
    2 when it is known from elsewhere.
    """
    log = plan.log_inverse_delta + math.log(parts)
    return math.ceil(_rounded(log / (difference * bennett(gap_tolerance(clause) / difference))))


def labels_per_step(clause: Clause, difference: float, reliability: float) -> float:
    """Labels a step when only the rows on which the two models differ are labelled (active labelling)."""
    return (math.log(4) - math.log1p(-reliability)) / bennett(gap_tolerance(clause) / difference)


def bennett(u: float) -> float:
    """h(u) = (1 + u) ln(1 + u) - u of Bennett's inequality."""
    return (1 + u) * math.log1p(u) - u


def gap_tolerance(clause: Clause) -> float:
    """The tolerance on n - o itself, of a clause about nothing else."""
    return clause.tolerance / abs(clause.coefficients[0])


def hoeffding_tolerance(clause: Clause, rows: int, plan: Plan) -> float:
    """Smallest tolerance of the clause that `rows` allow."""
    one = Clause(clause.coefficients, clause.relation, clause.threshold, 1.0)
    return math.sqrt(_clause_rows(one, 1, plan) / rows)


def bennett_tolerance(difference: float, rows: int, plan: Plan, *, parts: int = 4) -> float:
    """Smallest tolerance of n - o that `rows` allow when the models differ on at most the share `difference`."""
    return bennett_reach(difference, rows, plan.log_inverse_delta + math.log(parts))


def bennett_reach(difference: float, rows: int, log: float) -> float:
    """The e that solves `rows * difference * h(e / difference) = log`."""
    target = log / (rows * difference)
    low, high = 0.0, 1.0
    while bennett(high) < target:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if bennett(middle) < target else (low, middle)
    return high * difference


def _rounded(value: float) -> float:
    """Free of the last binary digits, so that 404.00000000001 rows are 404."""
    return float(f"{value:.12g}")
