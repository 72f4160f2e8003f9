"""The G-test of equal shares of categories (Sokal & Rohlf 1981); rare categories are put together."""

import numpy as np

from bot.monitor.drift.interface import Floats, Test, grouped, shares


def judge(counts: Floats, pooled: Floats) -> tuple[Floats, Floats]:
    """Missing values are left out; the effect is the total variation distance, 0 to 1."""
    from scipy.special import chdtrc, xlogy

    counts, pooled = grouped(counts[:, 1:], pooled[1:])
    current, reference, m, n = shares(counts, pooled)
    if counts.shape[1] < 2:
        return np.zeros(len(counts)), np.ones(len(counts))
    share, other = pooled / pooled.sum(), pooled - counts
    ratio = np.divide(current, share), np.divide(reference, share)
    statistic = 2 * (xlogy(counts, ratio[0]) + xlogy(other, ratio[1])).sum(axis=1)
    seen = (m > 0) & (n > 0)
    p_value = chdtrc(counts.shape[1] - 1, np.maximum(statistic, 0.0))
    return np.where(seen, np.abs(current - reference).sum(axis=1) / 2, 0.0), np.where(seen, p_value, 1.0)


test = Test("G-test", frozenset({"categorical"}), judge)
