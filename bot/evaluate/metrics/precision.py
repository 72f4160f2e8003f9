"""precision: share of the rows predicted positive that are positive, at the model's threshold."""

from bot.evaluate.metrics.interface import BINARY, Table
from bot.evaluate.metrics.ratio import class_precision
from bot.evaluate.rows import Floats


def precision(tables: Floats) -> Floats:
    """(..., 2, 2) to (...), for the second class."""
    out: Floats = class_precision(tables)[..., 1]
    return out


metric = Table("precision", "Precision", BINARY, greater_is_better=True, of=precision, needs_each_class=True)
