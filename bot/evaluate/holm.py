"""Holm's step-down correction for asking the same question many times (Holm 1979)."""

import numpy as np

from bot.evaluate.rows import Floats


def holm(p_values: Floats) -> Floats:
    """Adjusted p-values (k,), in the order given; each is at most 1 and at least its own p-value."""
    order = np.argsort(p_values, kind="stable")
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
