"""The G-test of equal shares of categories with Williams's correction (Sokal & Rohlf 1981); rare ones are put together.

Uncorrected, columns of many categories would look odd more often than others and cost them power.
"""

import numpy as np

from bot.monitor.drift.interface import Floats, Test, grouped, shares


def judge(counts: Floats, pooled: Floats) -> tuple[Floats, Floats]:
    """Missing values are left out; the effect is the total variation distance, 0 to 1."""
    from scipy.special import chdtrc, xlogy

    counts, pooled = grouped(counts, pooled)
    current, reference, m, n = shares(counts, pooled)
    if counts.shape[1] < 2:
        return np.zeros(len(counts)), np.ones(len(counts))
    share, other = pooled / pooled.sum(), pooled - counts
    ratio = np.divide(current, share), np.divide(reference, share)
    statistic = 2 * (xlogy(counts, ratio[0]) + xlogy(other, ratio[1])).sum(axis=1)
    seen = (m > 0) & (n > 0)
    p_value = chdtrc(counts.shape[1] - 1, np.maximum(statistic, 0.0) / _williams(pooled, m, n))
    return np.where(seen, np.abs(current - reference).sum(axis=1) / 2, 0.0), np.where(seen, p_value, 1.0)


def _williams(pooled: Floats, m: Floats, n: Floats) -> Floats:
    """What the statistic (B,) is too large by."""
    total = pooled.sum()
    sides = total / np.maximum(m, 1) + total / np.maximum(n, 1) - 1
    return np.asarray(1 + ((total / pooled).sum() - 1) * sides / (6 * total * (len(pooled) - 1)))


test = Test("G-test", frozenset({"categorical", "numeric"}), judge)
