"""The calibration curve and the confusion table as the record keeps them."""

from __future__ import annotations

import numpy as np

from bot.evaluate.metrics.calibration_error import BINS, bin_of, confidence
from bot.evaluate.rows import Rows, Scores


def calibration(rows: Rows, scores: Scores) -> tuple[tuple[float, float, int], ...]:
    """(mean probability, observed share, rows) of each of ten bins that has rows; empty without probabilities."""
    if scores.probabilities is None:
        return ()
    probability, outcome = confidence(rows, scores)
    code = bin_of(probability)
    n = np.bincount(code, minlength=BINS)
    means, shares = (np.bincount(code, values, BINS) / np.maximum(n, 1) for values in (probability, outcome))
    return tuple((float(means[one]), float(shares[one]), int(n[one])) for one in np.flatnonzero(n))


def confusion(rows: Rows, scores: Scores) -> tuple[tuple[int, ...], ...] | None:
    """Rows by true class and predicted class, in the order of the classes; None for a regression."""
    if rows.classes is None:
        return None
    k = rows.n_classes
    inside = scores.predicted >= 0
    cells = rows.truth[inside].astype(np.int64) * k + scores.predicted[inside].astype(np.int64)
    return tuple(tuple(int(cell) for cell in row) for row in np.bincount(cells, minlength=k * k).reshape(k, k))
