"""mae: mean absolute error."""

import numpy as np

from bot.evaluate.metrics.interface import REGRESSION, Mean
from bot.evaluate.rows import Floats, Rows, Scores


def absolute_errors(rows: Rows, scores: Scores) -> Floats:
    """(n, 1), unit of the target."""
    return np.abs(rows.truth - scores.predicted).astype(np.float64)[:, None]


metric = Mean("mae", "Mean absolute error", REGRESSION, False, unit="target", high=None, moments=absolute_errors)
