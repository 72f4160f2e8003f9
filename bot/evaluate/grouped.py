"""Intervals where rows of one group belong together: the metric without each group in turn (delete-a-group jackknife).

Groups are what varies, so the tails are Student's with as many degrees of freedom as there are groups, less one. A
metric between 0 and 1 of one model is bounded on the logit scale. With many groups the general methods hold as well, at
a cost that does not grow with their number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.special import expit

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


def is_jackknifed(resampler: Resampler) -> bool:
    """Whether there are groups, few enough to leave out each of them."""
    groups = resampler.n_groups
    return 1 < groups <= MOST_GROUPS and groups * len(resampler.rows) <= MOST_ROWS


def estimate_groups(metric: Metric, scores: Scores, resampler: Resampler, value_of: Value) -> Estimate:
    """The metric of one model. NaN, also without one of the groups, has no interval."""
    value = value_of(metric, scores, resampler)
    error = _error(_left_out(metric, (scores,), resampler, value_of))
    if not math.isfinite(value) or not math.isfinite(error):
        return Estimate(value, None, None, None, ONE_GROUP)
    df = resampler.n_groups - 1.0
    reach = critical(resampler.settings.tail, df) * error
    low, high = value - reach, value + reach
    if metric.low == 0 and metric.high == 1 and 0 < value < 1:
        middle, step = math.log(value / (1 - value)), reach / (value * (1 - value))
        low, high = float(expit(middle - step)), float(expit(middle + step))
    return Estimate(value, low, high, error, _method(resampler), df)


def compare_groups(
    metric: Metric, candidate: Scores, champion: Scores, resampler: Resampler, value_of: Value
) -> Difference:
    """The paired difference of two models."""
    one, other = (value_of(metric, scores, resampler) for scores in (candidate, champion))
    error, difference = _error(_left_out(metric, (candidate, champion), resampler, value_of)), one - other
    if not math.isfinite(difference) or not math.isfinite(error):
        return Difference(one, other, difference, None, None, None, None, ONE_GROUP)
    df = resampler.n_groups - 1.0
    return symmetric(one, other, Spread(error, error, df), resampler, _method(resampler))


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


def _error(left_out: Floats) -> float:
    groups = len(left_out)
    return float(np.sqrt((groups - 1) / groups * ((left_out - left_out.mean()) ** 2).sum()))


def _method(resampler: Resampler) -> str:
    few = f", {resampler.n_groups} groups are few" if resampler.n_groups < FEW_GROUPS else ""
    return f"jackknife over groups{few}"
