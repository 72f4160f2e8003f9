"""cost: mean cost of a row by a declared matrix, true class by predicted class."""

import numpy as np

from bot.evaluate.metrics.interface import CLASSES, Table
from bot.evaluate.metrics.ratio import ratio
from bot.evaluate.rows import Floats


def cost(matrix: Floats, unit: str = "") -> Table:
    """The metric of a cost matrix (k, k) in the order of the model's classes; `unit` is a currency, say."""

    def of(tables: Floats) -> Floats:
        return ratio((tables * matrix).sum(axis=(-2, -1)), tables.sum(axis=(-2, -1)))

    low, high = float(matrix.min()), float(matrix.max())
    return Table("cost", "Mean cost", CLASSES, False, unit=unit, low=low, high=high, of=of)


metric = cost(np.zeros((1, 1)))
