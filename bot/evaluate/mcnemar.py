"""McNemar's test: do two models get different rows wrong, more of one than of the other?"""

from __future__ import annotations

import numpy as np
from scipy.special import bdtr, gammaln, xlogy

FEW = 25


def mcnemar_exact(one_only: int, other_only: int) -> float:
    """Two-sided exact p-value from the rows that only one of the two models got right (binomial, 1/2)."""
    n, less = one_only + other_only, min(one_only, other_only)
    return min(1.0, 2.0 * float(bdtr(less, n, 0.5))) if n else 1.0


def mcnemar_mid_p(one_only: int, other_only: int) -> float:
    """The exact p-value without half the probability of what was seen (Fagerland et al. 2013)."""
    n, less = one_only + other_only, min(one_only, other_only)
    if one_only == other_only:
        return 1.0 - 0.5 * _point(less, n) if n else 1.0
    return mcnemar_exact(one_only, other_only) - _point(less, n)


def mcnemar(one_only: int, other_only: int) -> float:
    """Exact below 25 rows that differ in rightness, mid-p from there on."""
    few = one_only + other_only < FEW
    return mcnemar_exact(one_only, other_only) if few else mcnemar_mid_p(one_only, other_only)


def _point(k: int, n: int) -> float:
    """Binomial probability of k of n at 1/2."""
    log = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + xlogy(n, 0.5)
    return float(np.exp(log))
