"""Whether a target is a class or a quantity, when nobody said."""

from __future__ import annotations

from typing import Any

import numpy as np

from bot.monitor.coding import numbers
from bot.records.health import Task

MOST_CLASSES = 20


def guessed(target: Any, predicted: Any) -> tuple[Task, str]:
    """The task of two Arrow arrays of the reference, and the reason in words, "" where there was nothing to guess.

    Words and truth values are classes. Numbers with a fraction are quantities. Whole numbers are classes when the
    predictions are among them and there are at most 20, and quantities otherwise: a model that answers 3.7 does not
    choose a class. `predicted` may be None.
    """
    import pyarrow.types as kinds

    if not (kinds.is_integer(target.type) or kinds.is_floating(target.type) or kinds.is_decimal(target.type)):
        return "classification", ""
    values = _distinct(target)
    if not np.array_equal(values, np.floor(values)):
        return "regression", "its values have fractions"
    if len(values) > MOST_CLASSES:
        return "regression", f"it has {len(values)} different whole numbers"
    if predicted is not None and not np.isin(_distinct(predicted), values).all():
        return "regression", "predictions are not among its values"
    return "classification", f"it has {len(values)} different whole numbers"


def _distinct(values: Any) -> Any:
    found = numbers(values)
    return np.unique(found[~np.isnan(found)])
