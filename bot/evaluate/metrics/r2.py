"""r2: share of the target's variance that the model explains."""

import numpy as np

from bot.evaluate.metrics.interface import REGRESSION, Mean
from bot.evaluate.metrics.ratio import ratio
from bot.evaluate.rows import Floats, Rows, Scores


def sums(rows: Rows, scores: Scores) -> Floats:
    """(n, 3): squared error, target, squared target; the target is centred so that the variance keeps its digits."""
    centred = (rows.truth - rows.truth.mean()).astype(np.float64)
    return np.stack([(rows.truth - scores.predicted) ** 2, centred, centred**2], axis=1)


def explained(means: Floats) -> Floats:
    """1 - MSE / variance: (..., 3) to (...); 1 - 0 where the target does not vary."""
    return 1.0 - ratio(means[..., 0], means[..., 2] - means[..., 1] ** 2)


metric = Mean("r2", "R²", REGRESSION, True, low=None, heavy_tailed=True, moments=sums, combine=explained)
