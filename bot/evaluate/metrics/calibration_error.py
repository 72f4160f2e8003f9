"""calibration_error: expected calibration error over ten equal-width bins of the probability (Naeini et al. 2015)."""

import numpy as np

from bot.evaluate.metrics.interface import CLASSES, Mean
from bot.evaluate.rows import Floats, Rows, Scores

BINS = 10


def confidence(rows: Rows, scores: Scores) -> tuple[Floats, Floats]:
    """(n,) probability and (n,) 0/1 outcome: of the positive class for two classes, of the likeliest one for more."""
    assert scores.probabilities is not None
    if rows.n_classes == 2:
        return scores.probabilities[:, 1], (rows.truth == 1).astype(np.float64)
    likeliest = scores.probabilities.argmax(axis=1)
    return scores.probabilities.max(axis=1), (likeliest == rows.truth).astype(np.float64)


def bin_of(probability: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(n,) bin numbers 0 to BINS - 1; 1.0 belongs to the last."""
    return np.minimum((probability * BINS).astype(np.int64), BINS - 1)


def gaps(rows: Rows, scores: Scores) -> Floats:
    """(n, BINS): probability minus outcome in the column of the row's bin, 0 elsewhere."""
    probability, outcome = confidence(rows, scores)
    out = np.zeros((len(rows), BINS))
    out[np.arange(len(rows)), bin_of(probability)] = probability - outcome
    return out


def total(means: Floats) -> Floats:
    """Sum of the absolute gaps: (..., BINS) to (...)."""
    out: Floats = np.abs(means).sum(axis=-1)
    return out


metric = Mean(
    "calibration_error",
    "Calibration error",
    CLASSES,
    False,
    needs_probabilities=True,
    moments=gaps,
    combine=total,
)
