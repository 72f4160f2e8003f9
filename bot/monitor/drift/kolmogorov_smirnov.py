"""Kolmogorov-Smirnov on binned numbers: the largest distance of the two distribution functions at the bin edges."""

import numpy as np

from bot.monitor.drift.interface import Floats, Test, shares


def judge(counts: Floats, pooled: Floats) -> tuple[Floats, Floats]:
    """Missing values are left out; the effect is the distance, 0 to 1."""
    from scipy.special import kolmogorov

    current, reference, m, n = shares(counts[:, 1:], pooled[1:])
    distance = np.abs(np.cumsum(current - reference, axis=1)).max(axis=1, initial=0.0)
    p_value = kolmogorov(np.sqrt(n * m / np.maximum(n + m, 1)) * distance)
    seen = (n > 0) & (m > 0)
    return np.where(seen, distance, 0.0), np.where(seen, p_value, 1.0)


test = Test("Kolmogorov-Smirnov", frozenset({"numeric"}), judge)
