"""Division where 0/0 is 0, as scikit-learn's `zero_division=0` has it, and the three per-class ratios built on it."""

import numpy as np

from bot.evaluate.rows import Floats


def ratio(above: Floats, below: Floats) -> Floats:
    """above / below of one shape; 0 where `below` is 0."""
    out: Floats = np.divide(above, below, out=np.zeros_like(above, dtype=np.float64), where=below != 0)
    return out


def diagonal(tables: Floats) -> Floats:
    """Rows predicted right, by class: (..., k, k) to (..., k)."""
    return np.diagonal(tables, axis1=-2, axis2=-1).astype(np.float64)


def class_precision(tables: Floats) -> Floats:
    """Share of the rows predicted as a class that are of it: (..., k, k) to (..., k)."""
    return ratio(diagonal(tables), tables.sum(axis=-2))


def class_recall(tables: Floats) -> Floats:
    """Share of the rows of a class that are predicted as it: (..., k, k) to (..., k)."""
    return ratio(diagonal(tables), tables.sum(axis=-1))


def class_f1(tables: Floats) -> Floats:
    """2 TP / (2 TP + FP + FN) by class: (..., k, k) to (..., k)."""
    return ratio(2 * diagonal(tables), tables.sum(axis=-2) + tables.sum(axis=-1))


def mean_over_seen(values: Floats, tables: Floats) -> Floats:
    """Mean over the classes that occur as truth or prediction, scikit-learn's default label set: to (...)."""
    seen = (tables.sum(axis=-1) + tables.sum(axis=-2)) > 0
    return ratio((values * seen).sum(axis=-1), seen.sum(axis=-1).astype(np.float64))
