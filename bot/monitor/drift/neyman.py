"""Neyman's smooth test of second order on ranks: whether numbers moved (as Wilcoxon) or spread (as Mood), in one.

Rayner, Thas & Best (2009), Smooth tests of goodness of fit, two-sample form. Both parts are uncorrelated when nothing
drifted, so their squares add up to chi-square(2). Real drift is mostly of that kind: it sees more of it than
Kolmogorov-Smirnov, and PSI beside it sees other shapes (tests/benchmarks/monitor_power.py).
"""

import numpy as np

from bot.monitor.drift.interface import Floats, Test, shares

STILL = 1e-9


def judge(counts: Floats, pooled: Floats) -> tuple[Floats, Floats]:
    """Missing values are left out; the effect is the largest distance of the two distribution functions, 0 to 1."""
    from scipy.special import chdtrc

    counts, pooled = counts[:, 1:], pooled[1:]
    current, reference, m, n = shares(counts, pooled)
    distance = np.abs(np.cumsum(current - reference, axis=1)).max(axis=1, initial=0.0)
    waves = _waves(pooled)
    scores = counts @ waves / np.sqrt(np.maximum(m * n / max(pooled.sum() - 1, 1.0), STILL))[:, None]
    seen = (n > 0) & (m > 0) & (waves.shape[1] > 0)
    p_value = chdtrc(max(waves.shape[1], 1), (scores**2).sum(axis=1))
    return np.where(seen, distance, 0.0), np.where(seen, p_value, 1.0)


def _waves(pooled: Floats) -> Floats:
    """(k, <= 2): a line and a parabola of the middle ranks, of mean 0, variance 1 and uncorrelated over the rows."""
    weights = pooled / max(pooled.sum(), 1.0)
    ranks = 2 * np.cumsum(weights) - weights - 1
    found = [np.ones(len(pooled))]
    for power in (1, 2):
        wave = ranks**power
        for one in found:
            wave = wave - (weights * wave * one).sum() * one
        size = (weights * wave**2).sum()
        if size > STILL:
            found.append(wave / np.sqrt(size))
    return np.stack(found[1:], axis=1) if len(found) > 1 else np.zeros((len(pooled), 0))


test = Test("Neyman", frozenset({"numeric"}), judge)
