"""f1_macro: f1 of each class, averaged with equal weight."""

from bot.evaluate.metrics.interface import CLASSES, Table
from bot.evaluate.metrics.ratio import class_f1, mean_over_seen
from bot.evaluate.rows import Floats


def f1_macro(tables: Floats) -> Floats:
    """(..., k, k) to (...)."""
    return mean_over_seen(class_f1(tables), tables)


metric = Table("f1_macro", "F1 (macro)", CLASSES, greater_is_better=True, of=f1_macro, needs_each_class=True)
