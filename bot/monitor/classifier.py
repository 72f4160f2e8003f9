"""The domain classifier: can rows of the two tables be told apart by all columns together?

Ridge discriminant analysis on features that do not know which table a row is from: ranks of numbers and their squares,
indicators of frequent categories and of missing values, and products of pairs of columns, and of one's square with the
other, so that it also sees columns that no longer go together, in a line or in a bow. Dealing the rows anew then costs
one product of matrices and no fit. Boosted trees, fitted anew each time, found less in windows of some hundred rows and
took a hundred times longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.monitor.coding import Coder, Codes
from bot.monitor.drift.interface import Floats

Marks = NDArray[np.float32]
MOST_CATEGORIES, FEWEST_OF_CATEGORY = 12, 10
MOST_PAIRS = 400
# Small, since a broken dependence shows in directions that hardly vary; measured on flights, see docs/monitoring.md.
RIDGE = 3e-3
STILL = 1e-8


def directions(codes: Codes, coders: Sequence[Coder]) -> Marks:
    """float32 (N, p): independent directions of the features of the pooled rows, centred and scaled, p <= features."""
    columns = [_features(codes[:, number], one) for number, one in enumerate(coders)]
    lined = [
        ranked if one.kind == "numeric" else _lined_up(codes[:, number], one, columns[:number] + columns[number + 1 :])
        for number, (one, (ranked, _)) in enumerate(zip(coders, columns, strict=True))
    ]
    features = [_standardised(np.column_stack([mark for _, marks in columns for mark in marks]))]
    lines = np.stack(lined, axis=1)
    features.append(_standardised(_products(_standardised(lines), _standardised(3 * lines**2))))
    return _whitened(np.hstack(features))


def apart(found: Marks, current: NDArray[np.bool_]) -> Floats:
    """(B,) how far the two tables lie apart, for `current` (N, B): which rows are said to be current."""
    n, m = len(current), current.sum(axis=0)
    sums = found.T @ current.astype(np.float32)
    return np.asarray((sums.astype(np.float64) ** 2).sum(axis=0) / (m * (1 - m / n)))


def separation(found: Marks, current: NDArray[np.bool_]) -> float:
    """2 AUC - 1, 0 to 1, of the classifier when each row is judged by one that was fitted without it."""
    from scipy.stats import rankdata

    n, m = len(current), int(current.sum())
    label = np.where(current, 1.0, 0.0) - m / n
    # Leave one out in closed form: the fit without a row is (fit - leverage * label) / (1 - leverage).
    fitted, leverage = found @ (found.T @ label) / n, (found.astype(np.float64) ** 2).sum(axis=1) / n + 1 / n
    held_out = (fitted - leverage * label) / np.maximum(1 - leverage, 1e-6)
    ranks = rankdata(held_out)[current].sum()
    return float(np.clip(2 * (ranks - m * (m + 1) / 2) / (m * (n - m)) - 1, 0.0, 1.0))


def _features(codes: NDArray[np.uint8], one: Coder) -> tuple[Floats, list[Floats]]:
    """Ranks (N,) from -1 to 1, 0 where missing, and what the column gives by itself, each (N,)."""
    counts = np.bincount(codes, minlength=one.size).astype(np.float64)
    missing = codes == 0
    middle = (np.cumsum(counts[1:]) - counts[1:] / 2) / max(counts[1:].sum(), 1.0)
    ranks = np.append(0.0, 2 * middle - 1)[codes]
    marks = [missing.astype(np.float64)]
    if one.kind == "numeric":
        marks += [ranks, np.where(missing, 0.0, (3 * ranks**2 - 1) / 2)]
    else:
        frequent = np.argsort(-counts[1:], kind="stable")[:MOST_CATEGORIES] + 1
        marks += [(codes == code).astype(np.float64) for code in frequent if counts[code] >= FEWEST_OF_CATEGORY]
    return ranks, marks


def _lined_up(codes: NDArray[np.uint8], one: Coder, others: Sequence[tuple[Floats, list[Floats]]]) -> Floats:
    """Categories (N,) in the order in which the other columns differ most: by that a product shows dependence."""
    if not others:
        return np.zeros(len(codes))
    marks = _standardised(np.column_stack([mark for _, found in others for mark in found]))
    counts = np.bincount(codes, minlength=one.size).astype(np.float64)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.flatnonzero(counts))
    sums = np.zeros((one.size, marks.shape[1]))
    sums[counts > 0] = np.add.reduceat(marks[order], starts, axis=0)
    # Small categories are drawn to the middle: their means are chance.
    means = sums / (counts + FEWEST_OF_CATEGORY)[:, None]
    weighted = means * np.sqrt(counts)[:, None]
    _, directions_of = np.linalg.eigh(weighted.T @ weighted)
    return np.asarray((means @ directions_of[:, -1])[codes])


def _products(lines: Floats, bows: Floats) -> Floats:
    """(N, pairs) of two columns' lines, and of a column's bow with another's line: what goes up together, and what is
    high where the other one is in the middle or at its ends.
    """
    k = lines.shape[1]
    pairs: list[tuple[Any, ...]] = [np.triu_indices(k, 1)]
    if bows.shape[1] == k:
        one, other = np.nonzero(~np.eye(k, dtype=bool))
        pairs.append((one, other))
    found = []
    for sides, (one, other) in zip((lines, bows), pairs, strict=False):
        if len(one) > MOST_PAIRS:
            chosen = np.random.default_rng(0).permutation(len(one))[:MOST_PAIRS]
            one, other = one[chosen], other[chosen]
        found.append(sides[:, one] * lines[:, other])
    return np.hstack(found)


def _standardised(features: Floats) -> Floats:
    centred = features - features.mean(axis=0)
    spread = centred.std(axis=0)
    kept = spread > STILL
    return np.asarray(centred[:, kept] / spread[kept])


def _whitened(features: Floats) -> Marks:
    values, vectors = np.linalg.eigh(features.T @ features / max(len(features), 1))
    kept = values > STILL
    return (features @ (vectors[:, kept] / np.sqrt(values[kept] + RIDGE))).astype(np.float32)
