"""Sizes from the distributions themselves instead of Hoeffding's and Bennett's bounds."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import bdtr, bdtrc, ndtri

from bot.evaluate.condition.size import Plan, hoeffding_rows
from bot.specs.condition import Clause

SMALLEST_LOG = 600.0


def exact_rows(clause: Clause, plan: Plan) -> int | None:
    """Rows from which on a share of one half is estimated within the tolerance, both tails of the binomial together
    (the tight numerical bound, Langford 2005). None for a clause of several variables, or a probability too small for a
    float.
    """
    factors = [abs(factor) for factor in clause.coefficients if factor]
    if len(factors) != 1 or plan.log_inverse_delta > SMALLEST_LOG:
        return None
    tolerance, delta = clause.tolerance / factors[0], math.exp(-plan.log_inverse_delta)
    most = hoeffding_rows([clause], Plan(plan.reliability, plan.steps, plan.adaptivity, 2)) + 1
    rows = np.arange(1, most + 1, dtype=np.float64)
    above = np.floor(rows * (0.5 + tolerance) + 1e-9)
    below = np.ceil(rows * (0.5 - tolerance) - 1e-9) - 1
    n = rows.astype(np.int64)
    tails = bdtrc(np.minimum(above, rows), n, 0.5) + np.where(below >= 0, bdtr(np.maximum(below, 0), n, 0.5), 0.0)
    too_few = np.flatnonzero(np.where(above >= rows, 0.0, tails) > delta)
    return int(rows[too_few[-1]]) + 1 if len(too_few) else 1


def normal_rows(clause: Clause, difference: float, plan: Plan) -> int | None:
    """Rows for `n - o` by the central limit theorem, two-sided, when the models differ on the share `difference`: what
    is usual, and promises nothing at finite size. None when the probability is too small for a float.
    """
    if plan.log_inverse_delta > SMALLEST_LOG:
        return None
    z = -float(ndtri(math.exp(-plan.log_inverse_delta) / 2))
    return math.ceil(difference * (z * abs(clause.coefficients[0]) / clause.tolerance) ** 2)
