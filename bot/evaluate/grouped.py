"""Intervals where rows of one group belong together: the metric without each group in turn (delete-a-group jackknife).

Groups are what varies, so the tails are Student's with as many degrees of freedom as there are groups, less one. A
metric with ends is bounded on a scale that has none, about the value less the jackknife's bias. With many groups the
general methods hold as well, at a cost that does not grow with their number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit

from bot.evaluate.metrics.interface import Metric
from bot.evaluate.ranking import Spread, symmetric
from bot.evaluate.resample import Resampler
from bot.evaluate.rows import Floats, Scores
from bot.evaluate.tails import critical
from bot.records.measured import Difference, Estimate

MOST_GROUPS = 200
MOST_ROWS = 20_000_000  # rows looked at in all, one time a group
FEW_GROUPS = 20

Value = Callable[[Metric, Scores, Resampler], float]
Scale = Callable[[Floats], Floats]


def is_jackknifed(resampler: Resampler) -> bool:
    """Whether there are groups, few enough to leave out each of them."""
    groups = resampler.n_groups
    return 1 < groups <= MOST_GROUPS and groups * len(resampler.rows) <= MOST_ROWS


def estimate_groups(metric: Metric, scores: Scores, resampler: Resampler, value_of: Value) -> Estimate:
    """The metric of one model. NaN, also without one of the groups, has no interval."""
    value, left_out = value_of(metric, scores, resampler), _left_out(metric, (scores,), resampler, value_of)
    there, back = _scale(metric, value, left_out)
    found = _jackknifed(there(np.array(value)), there(left_out))
    if not math.isfinite(found.error):
        return Estimate(value, None, None, None, ONE_GROUP)
    df = resampler.n_groups - 1.0
    reach = critical(resampler.settings.tail, df) * found.error
    low, high = (float(back(np.array(found.centre + step))) for step in (-reach, reach))
    error = _jackknifed(np.array(value), left_out).error
    return Estimate(value, min(low, value), max(high, value), error, _method(resampler), df)


def compare_groups(
    metric: Metric, candidate: Scores, champion: Scores, resampler: Resampler, value_of: Value
) -> Difference:
    """The paired difference of two models."""
    models = (candidate, champion)
    one, other = (value_of(metric, scores, resampler) for scores in models)
    found = _jackknifed(np.array(one - other), _left_out(metric, models, resampler, value_of))
    if not math.isfinite(found.error):
        return Difference(one, other, one - other, None, None, None, None, ONE_GROUP)
    spread = Spread(found.error, found.error, resampler.n_groups - 1.0)
    return symmetric(one, other, spread, resampler, _method(resampler))


@dataclass(frozen=True)
class _Jackknifed:
    centre: float
    error: float


def _jackknifed(value: Floats, left_out: Floats) -> _Jackknifed:
    """The value less its bias, which few groups have whenever the metric compares rows of different groups."""
    groups = len(left_out)
    error = np.sqrt((groups - 1) / groups * ((left_out - left_out.mean()) ** 2).sum())
    return _Jackknifed(float(groups * value - (groups - 1) * left_out.mean()), float(error))


def _scale(metric: Metric, value: float, left_out: Floats) -> tuple[Scale, Scale]:
    """To where the metric has no ends, and back: logit between 0 and 1, Fisher's z between -1 and 1, log above 0."""
    every = np.append(left_out, value)
    if metric.low == 0 and metric.high == 1 and ((every > 0) & (every < 1)).all():
        return logit, expit
    if metric.low == -1 and metric.high == 1 and (np.abs(every) < 1).all():
        return np.arctanh, np.tanh
    if metric.low == 0 and metric.high is None and (every > 0).all():
        return np.log, np.exp
    return (lambda one: one), (lambda one: one)


ONE_GROUP = "no interval, since without one of the groups the metric is not defined"


def _left_out(metric: Metric, models: tuple[Scores, ...], resampler: Resampler, value_of: Value) -> Floats:
    """(groups,) the metric without each group; of two models the difference."""
    code = resampler.group_codes
    rows = replace(resampler.rows, slices={})
    out = np.empty(resampler.n_groups)
    for group in range(resampler.n_groups):
        kept = code != group
        inside = Resampler(rows.where(kept), resampler.settings)
        values = [value_of(metric, scores.where(kept), inside) for scores in models]
        out[group] = values[0] - (values[1] if len(values) > 1 else 0.0)
    return out


def _method(resampler: Resampler) -> str:
    few = f", {resampler.n_groups} groups are few" if resampler.n_groups < FEW_GROUPS else ""
    return f"jackknife over groups{few}"
