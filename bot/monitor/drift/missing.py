"""Whether the share of missing values changed: chi-square of a 2 x 2 table with Yates's correction."""

import numpy as np

from bot.monitor.drift.interface import Floats, Test, shares


def judge(counts: Floats, pooled: Floats) -> tuple[Floats, Floats]:
    """The effect is the difference of the two shares, 0 to 1."""
    from scipy.special import chdtrc

    current, reference, m, n = shares(counts, pooled)
    total, gone = m + n, pooled[0]
    left = gone * (total - gone)
    slack = np.maximum(np.abs(counts[:, 0] * n - (gone - counts[:, 0]) * m) - total / 2, 0.0)
    statistic = total * slack**2 / np.maximum(left * n * m, 1.0)
    effect = np.abs(current[:, 0] - reference[:, 0])
    return effect, np.where(left > 0, chdtrc(1.0, statistic), 1.0)


test = Test("missing", frozenset({"numeric", "categorical"}), judge)
