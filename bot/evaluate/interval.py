"""A metric with its interval, and the paired difference of two models on the same rows with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr, ndtri, stdtrit

from bot.evaluate.joint import joint_draws
from bot.evaluate.metrics.interface import Mean, Metric, Ranking, Table
from bot.evaluate.resample import Resampler
from bot.evaluate.rows import Floats, Scores


@dataclass(frozen=True)
class Estimate:
    """A value with its bounds and standard error; all but `value` None when no interval is defined."""

    value: float
    low: float | None
    high: float | None
    error: float | None
    method: str


@dataclass(frozen=True)
class Difference:
    """Candidate minus champion. `error` is the standard error, `p_value` two-sided against no difference."""

    candidate: float
    champion: float
    difference: float
    low: float
    high: float
    error: float
    p_value: float
    method: str


def estimate(metric: Metric, scores: Scores, resampler: Resampler) -> Estimate:
    """The metric of one model. NaN values (one class only) have no interval."""
    if isinstance(metric, Ranking):
        value, influence = metric.influence(resampler.rows, scores)
        return _ranking(value, influence, resampler)
    if isinstance(metric, Table):
        values, tables, method = _table_draws(metric, (scores,), resampler)
        return _from_draws(values[0], tables[0], resampler, method)
    assert isinstance(metric, Mean)
    moments, means = _means(metric, scores, resampler)
    value = float(metric.combine(means))
    if len(resampler.rows) >= resampler.settings.exact_rows:
        return _analytic(value, _delta(metric, moments, means, resampler), resampler)
    draws = metric.combine(_resampled_means(moments, resampler))
    return _from_draws(value, draws, resampler, _name("bootstrap", resampler))


def compare(metric: Metric, candidate: Scores, champion: Scores, resampler: Resampler) -> Difference:
    """The paired difference, candidate minus champion, in the metric's unit."""
    if isinstance(metric, Ranking):
        one, other = (metric.influence(resampler.rows, scores) for scores in (candidate, champion))
        method = "DeLong" if metric.name == "roc_auc" else "infinitesimal jackknife"
        return _normal(one[0], other[0], one[1] - other[1], resampler, method)
    if isinstance(metric, Table):
        values, tables, method = _table_draws(metric, (candidate, champion), resampler)
        return _drawn(values[0], values[1], tables[0] - tables[1], resampler, method)
    assert isinstance(metric, Mean)
    (one_moments, one_means), (other_moments, other_means) = (
        _means(metric, scores, resampler) for scores in (candidate, champion)
    )
    values = [float(metric.combine(means)) for means in (one_means, other_means)]
    if len(resampler.rows) >= resampler.settings.exact_rows:
        influence = _delta(metric, one_moments, one_means, resampler) - _delta(
            metric, other_moments, other_means, resampler
        )
        return _normal(values[0], values[1], influence, resampler, "analytic, paired")
    drawn = _resampled_means(np.hstack([one_moments, other_moments]), resampler)
    q = one_moments.shape[1]
    draws = metric.combine(drawn[:, :q]) - metric.combine(drawn[:, q:])
    return _drawn(values[0], values[1], draws, resampler, _name("bootstrap", resampler))


def standard_error(influence: Floats, resampler: Resampler) -> float:
    """Of a value whose rows have these influences (n,), over rows or groups, within strata if they were drawn so."""
    sums = resampler.unit_sums(influence)
    grouped = resampler.rows.groups is not None and len(sums) > 1
    correction = math.sqrt(len(sums) / (len(sums) - 1)) if grouped else 1.0
    return float(np.sqrt((sums**2).sum()) / len(influence)) * correction


def _means(metric: Mean, scores: Scores, resampler: Resampler) -> tuple[Floats, Floats]:
    moments = metric.moments(resampler.rows, scores)
    return moments, np.average(moments, axis=0, weights=resampler.rows.weights)


def _resampled_means(moments: Floats, resampler: Resampler) -> Floats:
    weights = resampler.rows.weights
    weight = np.ones(len(moments)) if weights is None else weights
    sums = resampler.sums(np.hstack([moments * weight[:, None], weight[:, None]]))
    return sums[:, :-1] / sums[:, -1:]


def _delta(metric: Mean, moments: Floats, means: Floats, resampler: Resampler) -> Floats:
    """(n,) influences of a smooth function of means, with the n - 1 divisor of the sample variance."""
    n, weights = len(moments), resampler.rows.weights
    influence = (moments - means) @ gradient(metric.combine, means) * math.sqrt(n / max(n - 1, 1))
    return influence if weights is None else influence * weights / weights.mean()


def gradient(combine: Callable[[Floats], Floats], means: Floats) -> Floats:
    """Central differences of `combine` at means (q,), relative step 1e-6."""
    steps = np.diag(1e-6 * np.maximum(np.abs(means), 1e-6))
    out: Floats = (combine(means + steps) - combine(means - steps)) / (2 * np.diag(steps))
    return out


def _table_draws(
    metric: Table, models: tuple[Scores, ...], resampler: Resampler
) -> tuple[list[float], list[Floats], str]:
    """Values, and resampled values (resamples,), of each model, from one joint table of truth and predictions."""
    tables, drawn, method = joint_draws(tuple(model.predicted for model in models), resampler)
    return [float(metric.of(table)) for table in tables], [metric.of(draw) for draw in drawn], method


def _name(method: str, resampler: Resampler) -> str:
    rows = resampler.rows
    over = " over groups" if rows.groups is not None else ", stratified" if rows.strata and rows.classes else ""
    return method + over


def _from_draws(value: float, draws: Floats, resampler: Resampler, method: str) -> Estimate:
    if math.isnan(value):
        return Estimate(value, None, None, None, method)
    low, high = np.quantile(draws, [resampler.settings.tail, 1 - resampler.settings.tail])
    return Estimate(value, min(float(low), value), max(float(high), value), float(draws.std()), method)


def _analytic(value: float, influence: Floats, resampler: Resampler) -> Estimate:
    error = standard_error(influence, resampler)
    reach = critical(resampler) * error
    return Estimate(value, value - reach, value + reach, error, "analytic")


def _ranking(value: float, influence: Floats, resampler: Resampler) -> Estimate:
    """On the logit scale, so that an area near 1 keeps its bounds below 1; at exactly 0 or 1 a binomial bound."""
    if math.isnan(value):
        return Estimate(value, None, None, None, "DeLong")
    error = standard_error(influence, resampler)
    if not 0 < value < 1:
        smallest = int(np.bincount(resampler.rows.truth.astype(np.int64), minlength=2).min())
        bound = resampler.settings.tail ** (1 / max(smallest, 1))
        low, high = (bound, 1.0) if value >= 1 else (0.0, 1 - bound)
        return Estimate(value, low, high, error, "exact bound")
    middle, reach = math.log(value / (1 - value)), critical(resampler) * error / (value * (1 - value))
    low, high = float(expit(middle - reach)), float(expit(middle + reach))
    return Estimate(value, low, high, error, "DeLong, logit")


def critical(resampler: Resampler) -> float:
    """Half-width of a two-sided interval in standard errors: Student's t over units (normal for many)."""
    rows, tail = resampler.rows, resampler.settings.tail
    units = len(rows) if rows.groups is None else len(np.unique(rows.groups))
    return float(stdtrit(units - 1, 1 - tail)) if 1 < units < 1000 else float(ndtri(1 - tail))


def _normal(one: float, other: float, influence: Floats, resampler: Resampler, method: str) -> Difference:
    error = standard_error(influence, resampler)
    reach = (float(ndtri(1 - resampler.settings.tail)) if method == "DeLong" else critical(resampler)) * error
    difference = one - other
    return Difference(
        one, other, difference, difference - reach, difference + reach, error, two_sided(difference, error), method
    )


def _drawn(one: float, other: float, draws: Floats, resampler: Resampler, method: str) -> Difference:
    difference, error = one - other, float(draws.std())
    low, high = (float(edge) for edge in np.quantile(draws, [resampler.settings.tail, 1 - resampler.settings.tail]))
    low, high = min(low, difference), max(high, difference)
    return Difference(one, other, difference, low, high, error, two_sided(difference, error), method)


def two_sided(difference: float, error: float) -> float:
    """p-value of a normal statistic; 1 when nothing differs, 0 when a difference has no error."""
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return float(2 * ndtr(-abs(difference) / error))
