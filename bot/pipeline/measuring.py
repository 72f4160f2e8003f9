"""A release's own metric on any labelled rows, by the evaluation's own code, lent to the monitor."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from bot.evaluate.interval import compare, estimate
from bot.evaluate.metrics import METRICS, canonical, metric_of
from bot.evaluate.metrics.interface import Metric
from bot.evaluate.resample import Resampler, Settings
from bot.evaluate.rows import Codes, Rows, Scores
from bot.evaluate.tables import class_codes, codes_of, texts
from bot.monitor.lent import Reference
from bot.monitor.measured import Measured, Paired
from bot.records.log import PREDICTED, PROBABILITY


def measure(reference: Reference, table: Any) -> Measured | None:
    """The primary metric of the answers in a table with the target; accuracy where it needs probabilities that the log
    lacks. None when it is not defined on these rows (one class only).
    """
    rows, scores = _arrays(reference, table)
    metric = metric_for(reference, has_probabilities=scores.probabilities is not None)
    found = estimate(metric, scores, Resampler(rows, Settings()))
    if not math.isfinite(found.value):
        return None
    if found.low is not None and found.high is not None and rows.groups is None:
        wider = _wider(reference, metric)
        low, high = (found.value + wider * (bound - found.value) for bound in (found.low, found.high))
        found = replace(found, low=low, high=high)
    return Measured(metric.name, found.value, found.low, found.high, found.df, len(rows), metric.greater_is_better)


def _wider(reference: Reference, metric: Metric) -> float:
    """How much wider an interval is for rows in groups, as on the test rows, where a table does not name its groups; 1
    without groups.
    """
    rows, scores = _arrays(reference, reference.table)
    if rows.groups is None:
        return 1.0
    grouped = estimate(metric, scores, Resampler(rows, Settings()))
    alone = estimate(metric, scores, Resampler(replace(rows, groups=None), Settings()))
    return max(1.0, (grouped.error or 1.0) / (alone.error or 1.0)) if alone.error and grouped.error else 1.0


def against_live(reference: Reference, live: Any, other: Any) -> Paired | None:
    """Answers of another model minus those of the live one, on the same rows."""
    rows, one = _arrays(reference, live)
    _, two = _arrays(reference, other)
    both = one.probabilities is not None and two.probabilities is not None
    metric = metric_for(reference, has_probabilities=both)
    found = compare(metric, two, one, Resampler(rows, Settings()))
    if not math.isfinite(found.difference) or found.low is None or found.high is None:
        return None
    return Paired(found.difference, found.low, found.high, metric.greater_is_better)


def metric_for(reference: Reference, *, has_probabilities: bool) -> Metric:
    """The metric that the release's evaluation goes by."""
    training, name = reference.training, canonical(reference.evaluation.primary_metric)
    declared = reference.spec.metrics.cost if reference.spec is not None else None
    costs = None
    if declared is not None and training.classes is not None:
        costs = tuple(
            tuple(declared.get(true, {}).get(said, 0.0) for said in training.classes) for true in training.classes
        )
    metric = metric_of(name, costs=costs)
    if metric.needs_probabilities and not has_probabilities:
        return METRICS["accuracy"]
    return metric


def _arrays(reference: Reference, table: Any) -> tuple[Rows, Scores]:
    training = reference.training
    target, groups = table[training.target], _groups(reference, table)
    if training.classes is None:
        said = np.asarray(table[PREDICTED].to_numpy(), dtype=np.float64)
        truth = np.asarray(target.to_numpy(), dtype=np.float64)
        return Rows(training.task, truth, groups=groups), Scores(said)
    rows = Rows(training.task, class_codes(texts(target), training.classes), training.classes, groups=groups)
    names = [f"{PROBABILITY}{label}" for label in training.classes]
    predicted = class_codes(texts(table[PREDICTED]), training.classes)
    if any(name not in table.column_names or table[name].null_count for name in names):
        return rows, Scores(predicted)
    return rows, Scores(predicted, np.column_stack([table[name].to_numpy() for name in names]))


def _groups(reference: Reference, table: Any) -> Codes | None:
    """Groups of the rows where the spec names a column of them and the table has it; None for independent rows."""
    name = reference.spec.data.group if reference.spec is not None else None
    return codes_of(table[name]) if name is not None and name in table.column_names else None
