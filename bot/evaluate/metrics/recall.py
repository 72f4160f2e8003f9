"""recall: share of the positive rows that are predicted positive, at the model's threshold."""

from bot.evaluate.metrics.interface import BINARY, Table
from bot.evaluate.metrics.ratio import class_recall
from bot.evaluate.rows import Floats


def recall(tables: Floats) -> Floats:
    """(..., 2, 2) to (...), for the second class."""
    out: Floats = class_recall(tables)[..., 1]
    return out


metric = Table("recall", "Recall", BINARY, greater_is_better=True, of=recall, needs_each_class=True)
