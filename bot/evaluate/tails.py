"""How far into the tails of a bootstrap an interval must reach when few rows carry the variance.

With a rare class a few dozen rows decide, whatever the number of rows. The degrees of freedom of the variance estimate
are 2n / (kurtosis - 1) of the rows' influences (Satterthwaite's moment match); the tail is Student's at that many, as
in Hesterberg's expanded percentile interval (2015).
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from bot.evaluate.rows import Floats

MANY = 10_000.0


def degrees_of_freedom(influence: Floats, counts: Floats | None = None) -> float:
    """Of the variance of a mean of these influences (q,), each occurring `counts` (q,) times, once if None."""
    weight = np.ones(len(influence)) if counts is None else counts
    n = float(weight.sum())
    centred = influence - (weight * influence).sum() / n
    square = float((weight * centred**2).sum() / n)
    if square <= 0 or n < 3:
        return max(1.0, n - 1)
    kurtosis = float((weight * centred**4).sum() / n) / square**2
    return float(max(2.0, min(n - 1, 2 * n / max(kurtosis - 1, 1e-9))))


def tail(probability: float, df: float) -> float:
    """The normal tail probability whose quantile is Student's at `probability`."""
    return probability if df >= MANY else float(ndtr(stdtrit(df, probability)))


def critical(probability: float, df: float) -> float:
    """Upper quantile of Student's t; the normal one for many degrees of freedom."""
    return float(-ndtri(probability)) if df >= MANY else float(-stdtrit(df, probability))
