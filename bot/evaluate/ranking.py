"""Intervals of ROC AUC and average precision from the influences of the rows.

ROC AUC has DeLong's variance. With a rare class or an area near 1 his normal interval is too short and leaves [0, 1]:
there each area gets an interval on the logit scale from a variance with one more row a class, and the difference is put
together from the two by the method of variance estimates recovery (Zou and Donner 2008).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, ndtri

from bot.evaluate.metrics.interface import Ranking
from bot.evaluate.resample import Resampler
from bot.evaluate.results import two_sided
from bot.evaluate.rows import Floats, Scores
from bot.records.measured import Difference, Estimate

FEW = 100
NEAR_ONE = 0.99


def estimate_ranking(metric: Ranking, scores: Scores, resampler: Resampler) -> Estimate:
    """On the logit scale, so that the bounds stay between 0 and 1. NaN has no interval."""
    value, influence = metric.influence(resampler.rows, scores)
    method = _method(metric) + ", logit scale"
    if math.isnan(value):
        return Estimate(value, None, None, None, method)
    error = smoothed_error(metric, value, influence, resampler)
    low, high = _logit_bounds(value, error, resampler)
    return Estimate(value, low, high, error, method)


def compare_rankings(metric: Ranking, candidate: Scores, champion: Scores, resampler: Resampler) -> Difference:
    """DeLong's paired normal interval, or the recovered one where it is too short."""
    one, ours = metric.influence(resampler.rows, candidate)
    other, theirs = metric.influence(resampler.rows, champion)
    difference, error = one - other, resampler.standard_error(ours - theirs)
    p_value = two_sided(difference, error) if not math.isnan(difference) else 1.0
    if not _is_hard(metric, one, other, resampler):
        reach = float(-ndtri(resampler.settings.tail)) * error
        low, high, method = difference - reach, difference + reach, _method(metric)
    else:
        low, high = _recovered(metric, (one, ours), (other, theirs), resampler)
        method = f"{_method(metric)}, recovered on the logit scale (rare class or area near 1)"
    return Difference(one, other, difference, low, high, error, p_value, method)


def smoothed_error(metric: Ranking, value: float, influence: Floats, resampler: Resampler) -> float:
    """Standard error with the variance of one more row in each class; of ROC AUC only."""
    error = resampler.standard_error(influence)
    if metric.name != "roc_auc":
        return error
    counts = np.bincount(resampler.rows.truth.astype(np.int64), minlength=2).astype(np.float64)
    spread = max(value * (1 - value), 1 / (4 * counts.sum()))
    return math.sqrt(error**2 + spread * float((1 / counts**2).sum()))


def _method(metric: Ranking) -> str:
    return "DeLong" if metric.name == "roc_auc" else "infinitesimal jackknife"


def _is_hard(metric: Ranking, one: float, other: float, resampler: Resampler) -> bool:
    if metric.name != "roc_auc" or math.isnan(one) or math.isnan(other):
        return False
    rarest = int(np.bincount(resampler.rows.truth.astype(np.int64), minlength=2).min())
    return rarest < FEW or max(one, other) > NEAR_ONE


def _logit_bounds(value: float, error: float, resampler: Resampler) -> tuple[float, float]:
    """At exactly 0 or 1 the bound is binomial in the rarest class."""
    if not 0 < value < 1:
        rarest = max(1, int(np.bincount(resampler.rows.truth.astype(np.int64), minlength=2).min()))
        bound = float(resampler.settings.tail ** (1 / rarest))
        return (bound, 1.0) if value >= 1 else (0.0, 1 - bound)
    middle = math.log(value / (1 - value))
    reach = float(-ndtri(resampler.settings.tail)) * error / (value * (1 - value))
    return float(expit(middle - reach)), float(expit(middle + reach))


def _recovered(
    metric: Ranking, one: tuple[float, Floats], other: tuple[float, Floats], resampler: Resampler
) -> tuple[float, float]:
    (a, ours), (b, theirs) = one, other
    bounds = [_logit_bounds(v, smoothed_error(metric, v, f, resampler), resampler) for v, f in (one, other)]
    (a_low, a_high), (b_low, b_high) = bounds
    rho = _correlation(resampler.unit_sums(ours), resampler.unit_sums(theirs))

    def reach(near: float, far: float) -> float:
        return math.sqrt(max(0.0, near**2 - 2 * rho * near * far + far**2))

    return a - b - reach(a - a_low, b_high - b), a - b + reach(a_high - a, b - b_low)


def _correlation(one: Floats, other: Floats) -> float:
    below = math.sqrt(float((one**2).sum()) * float((other**2).sum()))
    return float((one * other).sum()) / below if below else 0.0
