"""How far into the tails of a bootstrap an interval must reach when few rows carry the variance.

With a rare class a few dozen rows decide, whatever the number of rows. The degrees of freedom of the variance estimate
are 2n / (kurtosis - 1) of the rows' influences (Satterthwaite's moment match); the tail is Student's at that many, as
in Hesterberg's expanded percentile interval (2015).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from bot.evaluate.rows import Floats

MANY = 10_000.0


def degrees_of_freedom(influence: Floats, counts: Floats | None = None) -> float:
    """Of the variance of a mean of these influences (q,), each occurring `counts` (q,) times, once if None."""
    n = float(len(influence) if counts is None else counts.sum())
    centred = influence - (influence.sum() if counts is None else counts @ influence) / n
    squares = centred * centred
    weighted = squares if counts is None else counts * squares
    square = float(weighted.sum()) / n
    if square <= 0 or n < 3:
        return max(1.0, n - 1)
    kurtosis = float(weighted @ squares) / n / square**2
    return float(max(2.0, min(n - 1, 2 * n / max(kurtosis - 1, 1e-9))))


def tail(probability: float, df: float) -> float:
    """The normal tail probability whose quantile is Student's at `probability`."""
    return probability if df >= MANY else float(ndtr(stdtrit(df, probability)))


def critical(probability: float, df: float) -> float:
    """Upper quantile of Student's t; the normal one for many degrees of freedom."""
    return float(-ndtri(probability)) if df >= MANY else float(-stdtrit(df, probability))


def hall(influence: Floats, quantile: float) -> tuple[float, float]:
    """How many standard errors the bounds of a skewed mean lie below and above it (Hall 1992, by his cubic).

    `quantile` is the upper one of a symmetric statistic; without skewness both are it.
    """
    n = len(influence)
    centred = influence - influence.mean()
    squares = centred * centred
    spread = float(squares.mean())
    if spread <= 0 or n < 3:
        return quantile, quantile
    skewness = float(squares @ centred) / n / spread**1.5 * math.sqrt(n * (n - 1)) / (n - 2)
    slope = skewness / math.sqrt(n)
    if abs(slope) < 1e-8:
        return quantile, quantile
    lower, upper = (3 / slope * (np.cbrt(1 + slope * (edge - slope / 6)) - 1) for edge in (quantile, -quantile))
    return max(0.0, float(lower)), max(0.0, -float(upper))


HEAVY_INDEX = 1.5


def is_heavy(influence: Floats) -> bool:
    """Whether the tail of the influences looks as if they had no variance, so that no interval of their mean holds.

    By the tail index of the largest root of n (Hill 1975): below 2 there is no variance; 1.5 leaves room for its noise.
    """
    size = np.sort(np.abs(influence - np.median(influence)))[::-1]
    k = math.isqrt(len(size))
    if k < 10 or size[k] <= 0:
        return False
    return bool(1 / np.log(size[:k] / size[k]).mean() < HEAVY_INDEX)


def two_sided(difference: float, error: float, df: float = MANY) -> float:
    """p-value of Student's statistic; 1 when nothing differs, 0 when a difference has no error."""
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    score = -abs(difference) / error
    return float(2 * (ndtr(score) if df >= MANY else stdtr(df, score)))
