"""recall_macro: recall of each class, averaged with equal weight."""

from bot.evaluate.metrics.interface import CLASSES, Table
from bot.evaluate.metrics.ratio import class_recall, mean_over_seen
from bot.evaluate.rows import Floats


def recall_macro(tables: Floats) -> Floats:
    """(..., k, k) to (...)."""
    return mean_over_seen(class_recall(tables), tables)


metric = Table(
    "recall_macro", "Recall (macro)", CLASSES, greater_is_better=True, of=recall_macro, needs_each_class=True
)
