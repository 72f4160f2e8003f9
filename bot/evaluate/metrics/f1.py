"""f1: harmonic mean of precision and recall of the positive class, at the model's threshold."""

from bot.evaluate.metrics.interface import BINARY, Table
from bot.evaluate.metrics.ratio import class_f1
from bot.evaluate.rows import Floats


def f1(tables: Floats) -> Floats:
    """(..., 2, 2) to (...), for the second class."""
    out: Floats = class_f1(tables)[..., 1]
    return out


metric = Table("f1", "F1", BINARY, greater_is_better=True, of=f1, needs_each_class=True)
