"""mape: mean absolute error as a share of the absolute target."""

import numpy as np

from bot.evaluate.metrics.interface import REGRESSION, Mean
from bot.evaluate.rows import Floats, Rows, Scores


def shares(rows: Rows, scores: Scores) -> Floats:
    """(n, 1); a target of 0 counts as float64's epsilon, as in scikit-learn, and makes the metric useless."""
    below = np.maximum(np.abs(rows.truth), np.finfo(np.float64).eps)
    return (np.abs(rows.truth - scores.predicted) / below).astype(np.float64)[:, None]


metric = Mean("mape", "Mean absolute percentage error", REGRESSION, False, high=None, heavy_tailed=True, moments=shares)
