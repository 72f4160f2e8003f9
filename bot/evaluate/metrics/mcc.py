"""mcc: Matthews correlation coefficient of true and predicted class (Gorodkin 2004 for more than two)."""

import numpy as np

from bot.evaluate.metrics.interface import CLASSES, Table
from bot.evaluate.metrics.ratio import ratio
from bot.evaluate.rows import Floats


def mcc(tables: Floats) -> Floats:
    """(..., k, k) to (...); 0 when either side has one class only."""
    n = tables.sum(axis=(-2, -1))
    true, predicted = tables.sum(axis=-1), tables.sum(axis=-2)
    covariance = tables.trace(axis1=-2, axis2=-1) * n - (true * predicted).sum(axis=-1)
    spread = (n**2 - (true**2).sum(axis=-1)) * (n**2 - (predicted**2).sum(axis=-1))
    return ratio(covariance, np.sqrt(np.maximum(spread, 0.0)))


metric = Table("mcc", "Matthews correlation", CLASSES, greater_is_better=True, low=-1.0, of=mcc, needs_each_class=True)
