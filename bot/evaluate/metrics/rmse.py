"""rmse: root of the mean squared error."""

import numpy as np

from bot.evaluate.metrics.interface import REGRESSION, Mean
from bot.evaluate.rows import Floats, Rows, Scores


def squared_errors(rows: Rows, scores: Scores) -> Floats:
    """(n, 1), unit of the target squared."""
    return ((rows.truth - scores.predicted) ** 2).astype(np.float64)[:, None]


def root(means: Floats) -> Floats:
    """(..., 1) to (...)."""
    out: Floats = np.sqrt(np.maximum(means[..., 0], 0.0))
    return out


metric = Mean(
    "rmse",
    "Root mean squared error",
    REGRESSION,
    False,
    unit="target",
    high=None,
    moments=squared_errors,
    combine=root,
    heavy_tailed=True,
)
