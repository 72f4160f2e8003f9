"""f1_weighted: F1 of each class, averaged by the number of its rows."""

from bot.evaluate.metrics.interface import CLASSES, Table
from bot.evaluate.metrics.ratio import class_f1, ratio
from bot.evaluate.rows import Floats


def f1_weighted(tables: Floats) -> Floats:
    """(..., k, k) to (...)."""
    support = tables.sum(axis=-1)
    return ratio((class_f1(tables) * support).sum(axis=-1), support.sum(axis=-1))


metric = Table("f1_weighted", "F1 (weighted)", CLASSES, greater_is_better=True, of=f1_weighted)
