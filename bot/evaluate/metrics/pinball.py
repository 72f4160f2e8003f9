"""pinball: loss of a quantile forecast; `pinball_0.9` is that of the 90 % quantile, `pinball` of the median."""

import numpy as np

from bot.evaluate.metrics.interface import REGRESSION, Mean
from bot.evaluate.rows import Floats, Rows, Scores


def pinball(quantile: float, name: str) -> Mean:
    """The metric of one quantile, between 0 and 1."""

    def losses(rows: Rows, scores: Scores) -> Floats:
        error = (rows.truth - scores.predicted).astype(np.float64)
        return np.maximum(quantile * error, (quantile - 1.0) * error)[:, None]

    title = f"Pinball loss ({quantile:g})"
    return Mean(name, title, REGRESSION, False, unit="target", high=None, moments=losses)


metric = pinball(0.5, "pinball")
