"""calibration_error: expected calibration error over ten equal-width bins of the probability (Naeini et al. 2015).

What sampling adds to it is taken off again: see `bot/evaluate/binned.py`.
"""

import numpy as np

from bot.evaluate.metrics.interface import CLASSES, Binned
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


def parts(rows: Rows, scores: Scores) -> tuple[Floats, Floats]:
    """Two (n, BINS) with one entry a row, in the column of its bin: probability minus outcome, and the variance that
    this has when the probability is right.
    """
    probability, outcome = confidence(rows, scores)
    place = (np.arange(len(rows)), bin_of(probability))
    gaps, expected = np.zeros((len(rows), BINS)), np.zeros((len(rows), BINS))
    gaps[place], expected[place] = probability - outcome, probability * (1 - probability)
    return gaps, expected


metric = Binned("calibration_error", "Calibration error", CLASSES, False, needs_probabilities=True, parts=parts)
