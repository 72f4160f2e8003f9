"""Intervals of ROC AUC and average precision from the influences of the rows.

The variance of ROC AUC is DeLong's (1988), that of average precision the infinitesimal jackknife's. Few rows may carry
either: a rare class, an area near 1, two models that rank nearly alike. So the tails are Student's with the degrees of
freedom that the influences support, class by class (Welch and Satterthwaite), and where these are few, each class gets
one more row of the largest influence seen: what was not drawn may lie as far out as what was. The interval of one model
is made on the logit scale (Boyd, Eng and Page 2013 for average precision), that of a difference is symmetric.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from bot.evaluate.metrics.interface import Ranking
from bot.evaluate.resample import Resampler
from bot.evaluate.rows import Codes, Floats, Rows, Scores
from bot.evaluate.tails import critical, degrees_of_freedom, two_sided
from bot.records.measured import Difference, Estimate

FEW = 3.0  # degrees of freedom up to which the further row counts whole


def estimate_ranking(metric: Ranking, scores: Scores, resampler: Resampler) -> Estimate:
    """On the logit scale, so that the bounds stay between 0 and 1. NaN has no interval."""
    value, influence = metric.influence(resampler.rows, scores)
    method = _method(metric) + ", logit scale"
    if math.isnan(value):
        return Estimate(value, None, None, None, method)
    spread = spread_of(influence, resampler)
    low, high = logit_bounds(value, spread, resampler)
    return Estimate(value, low, high, spread.error, method, spread.df)


def compare_rankings(metric: Ranking, candidate: Scores, champion: Scores, resampler: Resampler) -> Difference:
    """Paired: of the difference of the two influences of each row."""
    one, ours = metric.influence(resampler.rows, candidate)
    other, theirs = metric.influence(resampler.rows, champion)
    difference = one - other
    if math.isnan(difference):
        return Difference(one, other, difference, None, None, None, None, _method(metric))
    return symmetric(one, other, spread_of(ours - theirs, resampler), resampler, _method(metric))


def symmetric(one: float, other: float, spread: Spread, resampler: Resampler, method: str) -> Difference:
    """The difference of two values with Student's interval, and the p-value that agrees with it."""
    difference, reach = one - other, critical(resampler.settings.tail, spread.df) * spread.reach
    p_value = two_sided(difference, spread.reach, spread.df)
    low, high = difference - reach, difference + reach
    return Difference(one, other, difference, low, high, spread.error, p_value, method, spread.df)


@dataclass(frozen=True)
class Spread:
    """Standard error; `reach`, by which bounds are made; and the degrees of freedom of both."""

    error: float
    reach: float
    df: float


def spread_of(influence: Floats, resampler: Resampler) -> Spread:
    """Of a value whose rows have these influences (n,)."""
    rows, error = resampler.rows, resampler.standard_error(influence)
    if rows.groups is not None:
        return Spread(error, error, max(1.0, resampler.n_groups - 1.0))
    sums = resampler.unit_sums(influence)
    parts = [sums[members] for members in _classes(rows)]
    squares = [float((part**2).sum()) for part in parts]
    below = sum(square**2 / degrees_of_freedom(part) for part, square in zip(parts, squares, strict=True))
    df = max(1.0, sum(squares) ** 2 / below) if below else 1.0
    more = min(1.0, FEW / df) * sum(_furthest(part, rows) ** 2 for part in parts)
    return Spread(error, math.hypot(error, math.sqrt(more) / len(influence)), df)


def _classes(rows: Rows) -> list[Codes]:
    """Row numbers of each class that occurs; all rows of a regression."""
    if rows.classes is None:
        return [np.arange(len(rows))]
    code = rows.truth.astype(np.int64)
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))
    return np.split(order, starts[1:])


def _furthest(part: Floats, rows: Rows) -> float:
    """The largest influence in a class; of classes at least that of one pair of rows whose order changes."""
    most, others = float(np.abs(part).max()), len(rows) - len(part)
    return max(most, len(rows) / (len(part) * others)) if others else most


def _method(metric: Ranking) -> str:
    return "DeLong" if metric.name == "roc_auc" else "infinitesimal jackknife"


def logit_bounds(value: float, spread: Spread, resampler: Resampler) -> tuple[float, float]:
    """At exactly 0 or 1 the bound is binomial in the rarest class."""
    tail = resampler.settings.tail
    if not 0 < value < 1:
        counts = np.bincount(resampler.rows.truth.astype(np.int64))
        bound = float(tail ** (1 / max(1, int(counts[counts > 0].min()))))
        return (bound, 1.0) if value >= 1 else (0.0, 1 - bound)
    middle = math.log(value / (1 - value))
    reach = critical(tail, spread.df) * spread.reach / (value * (1 - value))
    return float(expit(middle - reach)), float(expit(middle + reach))
