"""Gaps between the groups of a column for a binary model, with intervals (Agarwal et al. 2018 define the two measures).

`demographic_parity_difference`: largest difference of the share predicted positive. `equalised_odds_difference`: the
larger of the differences of the true-positive and the false-positive rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bot.evaluate.joint import unit_tables
from bot.evaluate.metrics.ratio import ratio
from bot.evaluate.resample import Resampler
from bot.evaluate.rows import Floats, Scores
from bot.evaluate.tails import MANY, critical
from bot.records.measured import Gap

MEASURES = ("demographic_parity_difference", "equalised_odds_difference")


def gaps(column: str, scores: Scores, resampler: Resampler, minimum_rows: int) -> list[Gap]:
    """Both measures over the groups of a slice column that have enough rows; empty with fewer than two groups."""
    values = resampler.rows.slices[column]
    names, code, counts = np.unique(values, return_inverse=True, return_counts=True)
    kept = [int(one) for one in np.flatnonzero((counts >= minimum_rows) & (names != ""))]
    if resampler.rows.task != "binary" or len(kept) < 2:
        return []
    cells = code * 4 + resampler.rows.truth.astype(np.int64) * 2 + (scores.predicted == 1)
    table, drawn = unit_tables(cells, 4 * len(names), resampler)
    tables, draws = (of.reshape(*of.shape[:-1], len(names), 2, 2)[..., kept, :, :] for of in (table, drawn))
    labels = [str(names[one]) for one in kept]
    return [_gap(column, measure, tables, draws, labels, resampler) for measure in MEASURES]


def rates(tables: Floats, measure: str) -> Floats:
    """(..., groups, 2, 2) truth by prediction, to (..., rates, groups) that are compared between groups."""
    if measure == MEASURES[0]:
        return ratio(tables[..., 1].sum(axis=-1), tables.sum(axis=(-2, -1)))[..., None, :]
    by_truth = ratio(tables[..., 1], tables.sum(axis=-1))
    return np.moveaxis(by_truth, -1, -2)


def spread(values: Floats) -> Floats:
    """Largest difference between groups of any rate: (..., rates, groups) to (...)."""
    out: Floats = (values.max(axis=-1) - values.min(axis=-1)).max(axis=-1)
    return out


def _gap(column: str, measure: str, tables: Floats, draws: Floats, names: Sequence[str], resampler: Resampler) -> Gap:
    """Bounds by pairs of groups, since a maximum of many noisy differences lies above the truth, and its quantiles too.

    Lower: the largest of all pairs' lower bounds, corrected for their number (Bonferroni), since any of them may be the
    largest by chance. Upper: the largest upper bound, which needs no correction.
    """
    by_group, tail = rates(tables, measure), resampler.settings.tail
    drawn, value = spread(rates(draws, measure)), float(spread(by_group))
    gap, error = _pairs(tables, draws, measure, resampler)
    df = resampler.n_units - 1.0 if resampler.rows.groups is not None else MANY
    low = float((gap - critical(tail / (2 * gap.size), df) * error).max())
    high = float((gap + critical(tail, df) * error).max())
    widest = by_group[(by_group.max(axis=-1) - by_group.min(axis=-1)).argmax()]
    ends = (names[int(widest.argmin())], names[int(widest.argmax())])
    return Gap(column, measure, value, max(0.0, min(low, value)), max(high, value), float(drawn.std()), ends)


def _pairs(tables: Floats, draws: Floats, measure: str, resampler: Resampler) -> tuple[Floats, Floats]:
    """(rates, pairs) absolute differences and their standard errors: of Agresti and Caffo (2000), or of drawn units."""
    one, other = np.triu_indices(len(tables), 1)
    if resampler.rows.groups is None and resampler.rows.weights is None:
        success, failure = _counts(tables, measure)
        n = success + failure + 2
        share = (success + 1) / n
        error = np.sqrt(share * (1 - share) / n)
        return np.abs(share[:, one] - share[:, other]), np.hypot(error[:, one], error[:, other])
    by_group, drawn = rates(tables, measure), rates(draws, measure)
    times = math.sqrt(resampler.n_units / max(resampler.n_units - 1, 1))
    return np.abs(by_group[:, one] - by_group[:, other]), times * (drawn[..., one] - drawn[..., other]).std(axis=0)


def _counts(tables: Floats, measure: str) -> tuple[Floats, Floats]:
    """(rates, groups) rows predicted positive, and those that are not."""
    by_truth = np.moveaxis(tables, 0, -1)  # truth, prediction, group
    if measure == MEASURES[0]:
        by_truth = by_truth.sum(axis=0, keepdims=True)
    return by_truth[:, 1], by_truth[:, 0]
