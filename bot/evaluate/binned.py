"""Intervals of a calibration error, without the bias that a sum of absolute values has.

Sampling alone makes every bin's gap differ from 0, so the sum of absolute gaps lies above the truth, most of all for a
calibrated model (Kumar, Liang and Ma 2019). Here the sum that was seen is held against the sums that a truth of a given
size would show, with the bins' sampling errors: the truths for which it is neither too small nor too large make the
interval (inversion of a test), and the one for which it is the median is the value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bot.evaluate.metrics.interface import Binned
from bot.evaluate.resample import Resampler
from bot.evaluate.rows import Floats, Scores
from bot.evaluate.tails import MANY, critical, two_sided
from bot.records.measured import Difference, Estimate

METHOD = "test inversion over bins"
STEPS = 20  # of halving: a millionth of the range


def estimate_binned(metric: Binned, scores: Scores, resampler: Resampler) -> Estimate:
    """The value that is right in the median, and the bounds."""
    return _estimate(_binned(metric, scores, resampler), resampler)


def _estimate(one: _Bins, resampler: Resampler) -> Estimate:
    tail = resampler.settings.tail
    # noise adds most to the sum where the real error sits in few bins, least where it is spread like what was seen
    spread, few = _Sums(one, one.seen, resampler), _Sums(one, one.shrunk, resampler)
    value, low, high = spread.at(0.5), few.at(1 - tail), spread.at(tail)
    return Estimate(value, min(low, value), max(high, value), spread.error(value), METHOD)


def compare_binned(metric: Binned, candidate: Scores, champion: Scores, resampler: Resampler) -> Difference:
    """Recovered from the two models' own intervals and the correlation of their sums (Zou and Donner 2008)."""
    models = [_binned(metric, scores, resampler) for scores in (candidate, champion)]
    (one, ours), (other, theirs) = ((found.value, found) for found in (_estimate(model, resampler) for model in models))
    rho = _correlation(models)

    def reach(near: float, far: float) -> float:
        return math.sqrt(max(0.0, near**2 - 2 * rho * near * far + far**2))

    difference = one - other
    low = difference - reach(one - (ours.low or 0.0), (theirs.high or 0.0) - other)
    high = difference + reach((ours.high or 0.0) - one, other - (theirs.low or 0.0))
    error = reach(ours.error or 0.0, theirs.error or 0.0)
    p_value = two_sided(difference, (high - low) / 2 / critical(resampler.settings.tail, MANY))
    return Difference(one, other, difference, low, high, error, p_value, METHOD)


def _correlation(models: list[_Bins]) -> float:
    """Of the two sums, by the signed parts of the units that make them."""
    one, other = (model.units @ np.sign(model.gaps) for model in models)
    one, other = one - one.mean(), other - other.mean()
    below = math.sqrt(float((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / below if below else 0.0


def binned_value(metric: Binned, scores: Scores, resampler: Resampler) -> float:
    """The value alone."""
    one = _binned(metric, scores, resampler)
    return _Sums(one, one.seen, resampler).at(0.5)


@dataclass(frozen=True)
class _Bins:
    """Of one model: `gaps` (bins,) are means over all n rows, `units` (units, bins) their parts by row or group,
    `errors` (bins,) standard errors. How the real error may be spread over the bins, adding up to 1: `seen` as the gaps
    are, `shrunk` only where they are beyond their standard errors.
    """

    n: float
    gaps: Floats
    units: Floats
    errors: Floats
    seen: Floats
    shrunk: Floats


def _binned(metric: Binned, scores: Scores, resampler: Resampler) -> _Bins:
    rows = resampler.rows
    parts, expected = metric.parts(rows, scores)
    weight = np.ones(len(rows)) if rows.weights is None else rows.weights
    n = float(weight.sum())
    if rows.weights is not None:
        parts, expected = parts * weight[:, None], expected * weight[:, None] ** 2
    units = parts
    if rows.groups is not None:
        units = np.stack([np.bincount(resampler.group_codes, column) for column in parts.T], axis=1)
    gaps = units.sum(axis=0, dtype=np.float64) / n
    seen = np.maximum(np.einsum("ij,ij->j", units, units) - n * gaps**2, 0.0)
    # a bin of few rows may by luck show no spread; a calibrated model's is known
    squares = np.maximum(seen, expected.sum(axis=0)) if rows.groups is None else seen * _more(len(units))
    errors = np.sqrt(squares) / n
    real = np.sqrt(np.maximum(gaps**2 - errors**2, 0.0))
    return _Bins(
        n, gaps, units.astype(np.float64, copy=False), errors, _shares(np.abs(gaps), errors), _shares(real, errors)
    )


def _shares(sizes: Floats, otherwise: Floats) -> Floats:
    kept = sizes if sizes.any() else otherwise
    return np.asarray(kept / max(float(kept.sum()), 1e-300))


def _more(units: int) -> float:
    return units / max(units - 1, 1)


class _Sums:
    """Sums of absolute gaps that truths of a given size show; the draws are the same for all sizes."""

    def __init__(self, one: _Bins, shares: Floats, resampler: Resampler) -> None:
        generator = np.random.default_rng(resampler.settings.seed + 4)
        self.noise = generator.normal(size=(resampler.settings.resamples, len(one.gaps))) * one.errors
        self.shares, self.seen = shares, float(np.abs(one.gaps).sum())

    def drawn(self, truth: float) -> Floats:
        """(resamples,) sums."""
        out: Floats = np.abs(truth * self.shares + self.noise).sum(axis=1)
        return out

    def at(self, share: float) -> float:
        """The truth of which this share of sums is at most what was seen; 0 when no truth has so many below."""
        low, high = 0.0, min(1.0, self.seen + 6 * float(self.noise.std(axis=0).sum()))
        if (self.drawn(0.0) <= self.seen).mean() <= share:
            return 0.0
        for _ in range(STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if (self.drawn(middle) <= self.seen).mean() > share else (low, middle)
        return low

    def error(self, value: float) -> float:
        """Standard error of the sum at a truth."""
        return float(self.drawn(value).std())
