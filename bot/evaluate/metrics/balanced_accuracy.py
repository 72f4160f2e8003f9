"""balanced_accuracy: mean recall over the classes that occur."""

import numpy as np

from bot.evaluate.metrics.interface import CLASSES, Table
from bot.evaluate.metrics.ratio import class_recall, ratio
from bot.evaluate.rows import Floats


def balanced_accuracy(tables: Floats) -> Floats:
    """(..., k, k) to (...); classes without rows are left out, as in scikit-learn."""
    occurs = tables.sum(axis=-1) > 0
    return ratio((class_recall(tables) * occurs).sum(axis=-1), occurs.sum(axis=-1).astype(np.float64))


metric = Table(
    "balanced_accuracy",
    "Balanced accuracy",
    CLASSES,
    greater_is_better=True,
    of=balanced_accuracy,
    needs_each_class=True,
)
