"""A metric with its interval, and the paired difference of two models on the same rows with its interval.

How few rows carry the variance decides how far an interval reaches: the degrees of freedom come from the kurtosis of
the rows' influences (`tails.py`). A skewed mean gets Hall's transformation (1992). Where no method holds, the interval
is None and `method` says why.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bot.evaluate.binned import binned_value, compare_binned, estimate_binned
from bot.evaluate.grouped import compare_groups, estimate_groups, is_jackknifed
from bot.evaluate.joint import Drawn, joint_draws
from bot.evaluate.mcnemar import mcnemar
from bot.evaluate.metrics.interface import Binned, Mean, Metric, Ranking, Table
from bot.evaluate.ranking import compare_rankings, estimate_ranking, spread_of, symmetric
from bot.evaluate.resample import Resampler
from bot.evaluate.rows import Floats, Scores
from bot.evaluate.tails import critical, degrees_of_freedom, hall, is_heavy, tail, two_sided
from bot.records.measured import Difference, Estimate

FEWEST_OF_CLASS = 10


def estimate(metric: Metric, scores: Scores, resampler: Resampler) -> Estimate:
    """The metric of one model, bounds within the metric's range. NaN (one class only) has no interval."""
    why = too_few(metric, resampler)
    if why:
        return Estimate(estimate_value(metric, scores, resampler), None, None, None, why)
    found = _estimate(metric, scores, resampler)
    if found.low is None or found.high is None:
        return found
    low = found.low if metric.low is None else max(found.low, min(metric.low, found.value))
    high = found.high if metric.high is None else min(found.high, max(metric.high, found.value))
    return replace(found, low=low, high=high)


def too_few(metric: Metric, resampler: Resampler) -> str:
    """Why these rows bear no interval of the metric; empty when they do."""
    rows = resampler.rows
    if not metric.needs_each_class or rows.classes is None:
        return ""
    counts = np.bincount(rows.truth.astype(np.int64), minlength=rows.n_classes)
    rarest = int(counts.argmin())
    if counts[rarest] >= FEWEST_OF_CLASS:
        return ""
    said = f"{counts[rarest]} rows of the class {rows.classes[rarest]!r}"
    return f"no interval, since {said} are fewer than {FEWEST_OF_CLASS}"


def _estimate(metric: Metric, scores: Scores, resampler: Resampler) -> Estimate:
    if isinstance(metric, Binned):
        return estimate_binned(metric, scores, resampler)
    if is_jackknifed(resampler):
        return estimate_groups(metric, scores, resampler, estimate_value)
    if isinstance(metric, Ranking):
        return estimate_ranking(metric, scores, resampler)
    if isinstance(metric, Table):
        drawn = joint_draws((scores.predicted,), resampler)
        df = _at_most_groups(degrees_of_freedom(_cell_influence(metric, drawn, 0), drawn.counts), resampler)
        return _from_draws(float(metric.of(drawn.tables[0])), metric.of(drawn.draws[0]), df, resampler, drawn.method)
    assert isinstance(metric, Mean)
    return _estimate_mean(metric, scores, resampler)


def _estimate_mean(metric: Mean, scores: Scores, resampler: Resampler) -> Estimate:
    moments, means = _means(metric, scores, resampler)
    value, influence = float(metric.combine(means)), _delta(metric, moments, means, resampler)
    units = resampler.unit_sums(influence)
    if metric.heavy_tailed and is_heavy(units):
        return Estimate(value, None, None, None, HEAVY)
    df = degrees_of_freedom(units)
    error = resampler.standard_error(influence)
    # between the normal quantile and Student's: the transformation already moves the bound of the skewed side
    lower, upper = hall(units, critical(resampler.settings.tail, df**2 / 5 if df > 5 else df))
    return Estimate(value, value - lower * error, value + upper * error, error, _name("Hall's t", resampler), df)


HEAVY = "no interval, since single rows carry so much that the variance may not exist"


def compare(metric: Metric, candidate: Scores, champion: Scores, resampler: Resampler) -> Difference:
    """The paired difference, candidate minus champion, in the metric's unit."""
    if _same(candidate, champion):
        value = estimate_value(metric, candidate, resampler)
        return Difference(value, value, 0.0, 0.0, 0.0, 0.0, 1.0, "the two answer alike on every row")
    why = too_few(metric, resampler)
    if why:
        one, other = (estimate_value(metric, scores, resampler) for scores in (candidate, champion))
        return Difference(one, other, one - other, None, None, None, None, why)
    if isinstance(metric, Binned):
        return compare_binned(metric, candidate, champion, resampler)
    if is_jackknifed(resampler):
        return compare_groups(metric, candidate, champion, resampler, estimate_value)
    if isinstance(metric, Ranking):
        return compare_rankings(metric, candidate, champion, resampler)
    if isinstance(metric, Table):
        return _compare_tables(metric, candidate, champion, resampler)
    assert isinstance(metric, Mean)
    return _compare_means(metric, candidate, champion, resampler)


def estimate_value(metric: Metric, scores: Scores, resampler: Resampler) -> float:
    """The metric alone, without an interval."""
    if isinstance(metric, Ranking):
        return metric.influence(resampler.rows, scores)[0]
    if isinstance(metric, Table):
        return float(metric.of(joint_draws((scores.predicted,), resampler).tables[0]))
    if isinstance(metric, Binned):
        return binned_value(metric, scores, resampler)
    assert isinstance(metric, Mean)
    return float(metric.combine(_means(metric, scores, resampler)[1]))


def _same(one: Scores, other: Scores) -> bool:
    if (one.probabilities is None) != (other.probabilities is None):
        return False
    alike = one.probabilities is None or np.array_equal(one.probabilities, other.probabilities)  # type: ignore[arg-type]
    return bool(alike and np.array_equal(one.predicted, other.predicted))


def _compare_tables(metric: Table, candidate: Scores, champion: Scores, resampler: Resampler) -> Difference:
    drawn = joint_draws((candidate.predicted, champion.predicted), resampler)
    one, other = (float(metric.of(table)) for table in drawn.tables)
    df = degrees_of_freedom(_cell_influence(metric, drawn, 0) - _cell_influence(metric, drawn, 1), drawn.counts)
    draws = metric.of(drawn.draws[0]) - metric.of(drawn.draws[1])
    found = _drawn(one, other, draws, _at_most_groups(df, resampler), resampler, drawn.method)
    rows = resampler.rows
    if metric.name != "accuracy" or rows.weights is not None or rows.groups is not None:
        return found
    right, theirs = candidate.predicted == rows.truth, champion.predicted == rows.truth
    p_value = mcnemar(int((right & ~theirs).sum()), int((theirs & ~right).sum()))
    return replace(found, p_value=p_value, method=f"{found.method}; McNemar")


def _compare_means(metric: Mean, candidate: Scores, champion: Scores, resampler: Resampler) -> Difference:
    """Student's t, symmetric: two models' losses on the same rows differ to both sides."""
    one_moments, one_means = _means(metric, candidate, resampler)
    other_moments, other_means = _means(metric, champion, resampler)
    one, other = float(metric.combine(one_means)), float(metric.combine(other_means))
    theirs = _delta(metric, other_moments, other_means, resampler)
    influence = _delta(metric, one_moments, one_means, resampler) - theirs
    difference = one - other
    if metric.heavy_tailed and is_heavy(resampler.unit_sums(influence)):
        return Difference(one, other, difference, None, None, None, None, HEAVY)
    return symmetric(one, other, spread_of(influence, resampler), resampler, _name("Student's t", resampler))


def _at_most_groups(df: float, resampler: Resampler) -> float:
    """Groups that are drawn together support no more degrees of freedom than there are of them."""
    return df if resampler.rows.groups is None else max(1.0, min(df, resampler.n_groups - 1.0))


def _means(metric: Mean, scores: Scores, resampler: Resampler) -> tuple[Floats, Floats]:
    moments = metric.moments(resampler.rows, scores)
    return moments, np.average(moments, axis=0, weights=resampler.rows.weights)


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


def _cell_influence(metric: Table, drawn: Drawn, model: int) -> Floats:
    """Influence of a row in each occupied cell of the joint table on the metric of one model."""
    table = drawn.tables[model]
    k = len(table)
    if k > 40:  # k^4 numbers; the degrees of freedom matter for few classes only
        return np.zeros(len(drawn.counts))
    start, step = table + 0.5 / k, 1e-3
    steps = step * np.eye(k * k).reshape(k * k, k, k)
    slopes = (metric.of(start + steps) - metric.of(start - steps)) / (2 * step)
    out: Floats = slopes[drawn.cells[model]]
    return out


def _name(method: str, resampler: Resampler) -> str:
    rows = resampler.rows
    over = " over groups" if rows.groups is not None else ", stratified" if rows.strata and rows.classes else ""
    return method + over


def _from_draws(value: float, draws: Floats, df: float, resampler: Resampler, method: str) -> Estimate:
    if math.isnan(value):
        return Estimate(value, None, None, None, method)
    share = tail(resampler.settings.tail, df)
    low, high = np.quantile(draws, [share, 1 - share])
    return Estimate(value, min(float(low), value), max(float(high), value), float(draws.std()), method, df)


def _drawn(one: float, other: float, draws: Floats, df: float, resampler: Resampler, method: str) -> Difference:
    difference, error, share = one - other, float(draws.std()), tail(resampler.settings.tail, df)
    low, high = (float(edge) for edge in np.quantile(draws, [share, 1 - share]))
    low, high = min(low, difference), max(high, difference)
    return Difference(one, other, difference, low, high, error, two_sided(difference, error, df), method, df)
