"""log_loss: mean negative logarithm of the probability given to the true class."""

import numpy as np

from bot.evaluate.metrics.interface import CLASSES, Mean
from bot.evaluate.rows import Floats, Rows, Scores


def log_losses(rows: Rows, scores: Scores) -> Floats:
    """(n, 1) nats; probabilities are kept off 0 by float64's epsilon, as in scikit-learn."""
    assert scores.probabilities is not None
    given = scores.probabilities[np.arange(len(rows)), rows.truth.astype(np.int64)]
    out: Floats = -np.log(np.clip(given, np.finfo(np.float64).eps, 1.0))[:, None]
    return out


metric = Mean(
    "log_loss", "Log loss", CLASSES, False, unit="nats", high=None, needs_probabilities=True, moments=log_losses
)
