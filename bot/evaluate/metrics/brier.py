"""brier: mean squared distance between the probabilities and what happened."""

import numpy as np

from bot.evaluate.metrics.interface import CLASSES, Mean
from bot.evaluate.rows import Floats, Rows, Scores


def squared_distances(rows: Rows, scores: Scores) -> Floats:
    """(n, 1): (p - y)^2 of the positive class for two classes (0 to 1), the sum over classes for more (0 to 2)."""
    assert scores.probabilities is not None
    if rows.n_classes == 2:
        squared: Floats = np.square(scores.probabilities[:, 1] - rows.truth)[:, None]
        return squared
    happened = np.eye(rows.n_classes)[rows.truth.astype(np.int64)]
    distances: Floats = np.square(scores.probabilities - happened).sum(axis=1, keepdims=True)
    return distances


metric = Mean("brier", "Brier score", CLASSES, False, high=2.0, needs_probabilities=True, moments=squared_distances)
