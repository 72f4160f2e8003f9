"""specificity: share of the negative rows that are predicted negative, at the model's threshold."""

from bot.evaluate.metrics.interface import BINARY, Table
from bot.evaluate.metrics.ratio import class_recall
from bot.evaluate.rows import Floats


def specificity(tables: Floats) -> Floats:
    """(..., 2, 2) to (...), for the first class."""
    out: Floats = class_recall(tables)[..., 0]
    return out


metric = Table("specificity", "Specificity", BINARY, greater_is_better=True, of=specificity, needs_each_class=True)
