"""average_precision: precision averaged over the positive rows, each at its own score.

The influence of a row is the derivative of the value in the row's weight (infinitesimal jackknife).
"""

import numpy as np

from bot.evaluate.metrics.interface import BINARY, Ranking
from bot.evaluate.rows import Floats, Rows, Scores


def average_precision(rows: Rows, scores: Scores) -> tuple[float, Floats]:
    """NaN when no row is positive."""
    assert scores.probabilities is not None
    positive, n = (rows.truth == 1).astype(np.float64), len(rows)
    if not positive.any():
        return float("nan"), np.zeros(n)
    weight = np.ones(n) if rows.weights is None else rows.weights
    _, code = np.unique(-scores.probabilities[:, 1], return_inverse=True)
    hits, all_rows = np.bincount(code, weight * positive), np.bincount(code, weight)
    at_least = np.cumsum(all_rows)
    precision = np.cumsum(hits) / at_least
    total = hits.sum()
    value = float((hits * precision).sum() / total)
    # a row at score s moves the precision at every score at or below s
    up = np.cumsum((hits / at_least)[::-1])[::-1]
    down = np.cumsum((hits * precision / at_least)[::-1])[::-1]
    influence = weight * n / total * (positive * (precision[code] - value) + positive * up[code] - down[code])
    return value, influence


metric = Ranking(
    "average_precision",
    "Average precision",
    BINARY,
    True,
    needs_probabilities=True,
    needs_each_class=True,
    influence=average_precision,
)
