"""Resampled confusion tables of several models from the joint table of truth and predictions.

Drawing the cells of that table from a multinomial is the row bootstrap exactly, at a cost that does not grow with the
number of rows. Weighted or grouped rows are drawn as units instead.
"""

from __future__ import annotations

import numpy as np

from bot.evaluate.resample import CHUNK_BYTES, Resampler
from bot.evaluate.rows import Codes, Floats


def joint_draws(predicted: tuple[Codes | Floats, ...], resampler: Resampler) -> tuple[list[Floats], list[Floats], str]:
    """Tables (k, k) and resampled tables (resamples, k, k), one of each a model, and the method's name.

    A predicted class that the rows do not know (-1) falls into an extra last class of truth nobody has.
    """
    rows = resampler.rows
    k = rows.n_classes + (1 if any((codes < 0).any() for codes in predicted) else 0)
    truth = rows.truth.astype(np.int64)
    cells = [truth * k + np.where(codes < 0, k - 1, codes).astype(np.int64) for codes in predicted]
    tables = [np.bincount(cell, rows.weights, k * k).reshape(k, k).astype(np.float64) for cell in cells]
    if rows.weights is None and rows.groups is None:
        drawn, method = _multinomial(cells, k, resampler), "multinomial bootstrap of the joint table"
    else:
        drawn = [_by_units(cell, k, resampler) for cell in cells]
        method = "bootstrap over groups" if rows.groups is not None else "weighted bootstrap"
    if rows.strata:
        method += ", stratified"
    return tables, drawn, method


def _multinomial(cells: list[Codes], k: int, resampler: Resampler) -> list[Floats]:
    joint = cells[0]
    for cell in cells[1:]:
        joint = joint * (k * k) + cell
    codes, first, counts = np.unique(joint, return_index=True, return_counts=True)
    del codes
    resamples, generator = resampler.settings.resamples, np.random.default_rng(resampler.settings.seed + 2)
    out = [np.zeros((resamples, k * k)) for _ in cells]
    if len(counts) == 0:
        return [table.reshape(-1, k, k) for table in out]
    of_cell = [np.eye(k * k)[cell[first]] if k * k <= 64 else None for cell in cells]
    step = max(1, CHUNK_BYTES // (8 * len(counts)))
    strata = cells[0][first] // k if resampler.rows.strata else np.zeros(len(counts), dtype=np.int64)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = _draw(generator, counts, strata, size).astype(np.float64)
        for table, cell, onehot in zip(out, cells, of_cell, strict=True):
            if onehot is not None:
                table[start : start + size] = drawn @ onehot
            else:
                _add(table[start : start + size], cell[first], drawn)
    return [table.reshape(-1, k, k) for table in out]


def _draw(generator: np.random.Generator, counts: Codes, strata: Codes, size: int) -> Codes:
    """(size, cells) multinomial counts; within each stratum the total is kept."""
    drawn = np.empty((size, len(counts)), dtype=np.int64)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        total = int(counts[members].sum())
        drawn[:, members] = generator.multinomial(total, counts[members] / total, size=size)
    return drawn


def _add(table: Floats, cell: Codes, drawn: Floats) -> None:
    """Add columns of `drawn` (size, cells) to the columns of `table` that `cell` names."""
    order = np.argsort(cell, kind="stable")
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    table[:, cell[order][starts]] += np.add.reduceat(drawn[:, order], starts, axis=1)


def _by_units(cell: Codes, k: int, resampler: Resampler) -> Floats:
    """Resampled tables of one model when whole units are drawn, or rows have weights."""
    return _unit_draws(cell, k * k, resampler).reshape(-1, k, k)


def _unit_draws(cell: Codes, size: int, resampler: Resampler) -> Floats:
    """(resamples, size) resampled weight of each cell."""
    weights = resampler.rows.weights
    used, code = np.unique(cell, return_inverse=True)
    out = np.zeros((resampler.settings.resamples, size))
    for position, one in enumerate(used):
        column = (code == position).astype(np.float64)
        out[:, one] = resampler.sums((column if weights is None else column * weights)[:, None])[:, 0]
    return out


def unit_tables(cell: Codes, size: int, resampler: Resampler) -> tuple[Floats, Floats]:
    """Counts (size,) of the rows' cells, and resampled counts (resamples, size)."""
    counts = np.bincount(cell, resampler.rows.weights, size).astype(np.float64)
    if resampler.rows.weights is not None or resampler.rows.groups is not None:
        return counts, _unit_draws(cell, size, resampler)
    generator = np.random.default_rng(resampler.settings.seed + 3)
    drawn = generator.multinomial(len(cell), counts / len(cell), size=resampler.settings.resamples)
    return counts, drawn.astype(np.float64)
