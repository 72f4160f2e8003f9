"""Gaps between the groups of a column for a binary model, with intervals (Agarwal et al. 2018 define the two measures).

`demographic_parity_difference`: largest difference of the share predicted positive. `equalised_odds_difference`: the
larger of the differences of the true-positive and the false-positive rate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bot.evaluate.joint import unit_tables
from bot.evaluate.metrics.ratio import ratio
from bot.evaluate.resample import Resampler
from bot.evaluate.rows import Floats, Scores
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
    by_group = rates(tables, measure)
    drawn, value = spread(rates(draws, measure)), float(spread(by_group))
    low, high = np.quantile(drawn, [resampler.settings.tail, 1 - resampler.settings.tail])
    widest = by_group[(by_group.max(axis=-1) - by_group.min(axis=-1)).argmax()]
    ends = (names[int(widest.argmin())], names[int(widest.argmax())])
    return Gap(column, measure, value, min(float(low), value), max(float(high), value), float(drawn.std()), ends)
