"""accuracy: share of rows whose class is predicted right."""

from bot.evaluate.metrics.interface import CLASSES, Table
from bot.evaluate.metrics.ratio import ratio
from bot.evaluate.rows import Floats


def accuracy(tables: Floats) -> Floats:
    """(..., k, k) to (...)."""
    return ratio(tables.trace(axis1=-2, axis2=-1), tables.sum(axis=(-2, -1)))


metric = Table("accuracy", "Accuracy", CLASSES, greater_is_better=True, of=accuracy)
