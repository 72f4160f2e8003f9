"""Population stability index over ten bins, with its null distribution: PSI / (1/n + 1/m) ~ chi-square(k - 1).

Yurdakul & Naranjo (2020), doi:10.21314/JRMV.2020.227. A fixed threshold such as 0.1 depends on the rows instead.
"""

import numpy as np

from bot.monitor.drift.interface import Floats, Test, shares

BINS = 10


def judge(counts: Floats, pooled: Floats) -> tuple[Floats, Floats]:
    """The effect is the total variation distance over the bins, so that one floor suits every test."""
    from scipy.special import chdtrc

    counts, pooled = tenths(counts[:, 1:], pooled[1:])
    current, reference, m, n = shares(counts, pooled)
    k = counts.shape[1]
    if k < 2 or pooled.sum() == 0:
        return np.zeros(len(counts)), np.ones(len(counts))
    smooth = [(side * rows[:, None] + 0.5) / (rows[:, None] + 0.5 * k) for side, rows in ((current, m), (reference, n))]
    index = ((smooth[0] - smooth[1]) * np.log(smooth[0] / smooth[1])).sum(axis=1)
    seen = (m > 0) & (n > 0)
    p_value = chdtrc(k - 1, index / (1 / np.maximum(n, 1) + 1 / np.maximum(m, 1)))
    return np.where(seen, np.abs(current - reference).sum(axis=1) / 2, 0.0), np.where(seen, p_value, 1.0)


def tenths(counts: Floats, pooled: Floats) -> tuple[Floats, Floats]:
    """Neighbouring bins put together into about ten of equal pooled counts: (B, <= 10) and (<= 10,)."""
    before = np.cumsum(pooled) - pooled
    group = np.minimum((before * BINS / max(pooled.sum(), 1.0)).astype(np.int64), BINS - 1)
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    return np.add.reduceat(counts, starts, axis=1), np.add.reduceat(pooled, starts)


test = Test("PSI", frozenset({"numeric"}), judge)
