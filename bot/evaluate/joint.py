"""Resampled confusion tables of several models from the joint table of truth and predictions.

Drawing the cells of that table from a multinomial is the row bootstrap exactly, at a cost that does not grow with the
number of rows. Where a cell has few rows the multinomial can never draw what happened not to be seen, and its intervals
are too short; there the cells are drawn from their posterior (Rubin's Bayesian bootstrap, with one prior row a class
spread evenly: Jeffreys' prior for each rate of two classes). Weighted or grouped rows are drawn as units instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.evaluate.resample import CHUNK_BYTES, Resampler
from bot.evaluate.rows import Codes, Floats

FEW = 100
MOST_CLASSES = 4


@dataclass(frozen=True)
class Drawn:
    """`tables`: (k, k) of each model. `draws`: (resamples, k, k) of each model.

    `cells`: of each occupied cell of the joint table, the model's own cell (true * k + predicted); `counts` its rows.
    """

    tables: list[Floats]
    draws: list[Floats]
    cells: list[Codes]
    counts: Floats
    method: str


def joint_draws(predicted: Sequence[Codes | Floats], resampler: Resampler) -> Drawn:
    """Of models that predicted positions in the classes (n,) each, on the resampler's rows.

    A predicted class that the rows do not know (-1) gets a class of its own that no row has.
    """
    rows = resampler.rows
    k = rows.n_classes + (1 if any((codes < 0).any() for codes in predicted) else 0)
    truth = rows.truth.astype(np.int64)
    codes = [np.where(one < 0, k - 1, one).astype(np.int64) for one in predicted]
    cells = [truth * k + one for one in codes]
    tables = [np.bincount(cell, rows.weights, k * k).reshape(k, k).astype(np.float64) for cell in cells]
    joint = truth
    for one in codes:
        joint = joint * k + one
    occupied, counts = _occupied(joint, k ** (len(codes) + 1))
    own = [occupied // k ** len(codes) * k + occupied // k ** (len(codes) - 1 - m) % k for m in range(len(codes))]
    if rows.weights is not None or rows.groups is not None:
        drawn = [_unit_draws(cell, k * k, resampler).reshape(-1, k, k) for cell in cells]
        method = "bootstrap over groups" if rows.groups is not None else "weighted bootstrap"
    elif k <= MOST_CLASSES and (len(counts) < k ** (len(codes) + 1) or counts.min() < FEW):
        drawn, method = _posterior(occupied, counts, k, len(codes), resampler), "Bayesian bootstrap of the joint table"
    else:
        drawn, method = _multinomial(own, counts, k, resampler), "multinomial bootstrap of the joint table"
    stratified = ", stratified" if rows.strata and rows.groups is None else ""
    return Drawn(tables, drawn, own, counts, method + stratified)


def _occupied(joint: Codes, size: int) -> tuple[Codes, Floats]:
    """Cells of the joint table that have rows, and how many."""
    if size <= 1_000_000:
        counts = np.bincount(joint, minlength=size)
        occupied = np.flatnonzero(counts)
        return occupied.astype(np.int64), counts[occupied].astype(np.float64)
    occupied, number = np.unique(joint, return_counts=True)
    return occupied, number.astype(np.float64)


def _posterior(occupied: Codes, counts: Floats, k: int, models: int, resampler: Resampler) -> list[Floats]:
    shape = (k,) * (models + 1)
    alpha = np.full(k ** (models + 1), 1.0 / k**models)
    if k > 2:  # a class that is never predicted has a precision of 0 by convention, not one that is unknown
        for model in range(models):
            said = np.arange(len(alpha)) // k ** (models - 1 - model) % k
            alpha[~np.isin(said, said[occupied])] = 0.0
    alpha[occupied] += counts
    generator = np.random.default_rng(resampler.settings.seed + 2)
    cells = generator.standard_gamma(alpha, size=(resampler.settings.resamples, len(alpha)))
    joint = cells.reshape(-1, *shape)
    if resampler.rows.strata:
        truth = alpha.reshape(k, -1).sum(axis=1)
        drawn = joint.reshape(-1, k, k**models)
        joint = (drawn / drawn.sum(axis=2, keepdims=True) * truth[:, None]).reshape(-1, *shape)
    others = [tuple(2 + other for other in range(models) if other != model) for model in range(models)]
    return [joint.sum(axis=axes) if axes else joint for axes in others]


def _multinomial(cells: list[Codes], counts: Floats, k: int, resampler: Resampler) -> list[Floats]:
    resamples, generator = resampler.settings.resamples, np.random.default_rng(resampler.settings.seed + 2)
    out = [np.zeros((resamples, k * k)) for _ in cells]
    step = max(1, CHUNK_BYTES // (8 * len(counts)))
    strata = cells[0] // k if resampler.rows.strata else np.zeros(len(counts), dtype=np.int64)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = _draw(generator, counts, strata, size).astype(np.float64)
        for table, cell in zip(out, cells, strict=True):
            _add(table[start : start + size], cell, drawn)
    return [table.reshape(-1, k, k) for table in out]


def _draw(generator: np.random.Generator, counts: Floats, strata: Codes, size: int) -> Codes:
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


def _unit_draws(cell: Codes, size: int, resampler: Resampler) -> Floats:
    """(resamples, size) resampled weight of each cell, whole units drawn."""
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
