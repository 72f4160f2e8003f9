"""precision_macro: precision of each class, averaged with equal weight."""

from bot.evaluate.metrics.interface import CLASSES, Table
from bot.evaluate.metrics.ratio import class_precision, mean_over_seen
from bot.evaluate.rows import Floats


def precision_macro(tables: Floats) -> Floats:
    """(..., k, k) to (...)."""
    return mean_over_seen(class_precision(tables), tables)


metric = Table(
    "precision_macro", "Precision (macro)", CLASSES, greater_is_better=True, of=precision_macro, needs_each_class=True
)
