"""A release's own metric on new labelled rows against the same metric on its test rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.monitor.performance import FEWEST
from bot.records.health import Performance


@dataclass(frozen=True)
class Measured:
    """A metric of one model on some rows; bounds at 95 % and the standard error, None where none is defined."""

    metric: str
    value: float
    low: float | None
    high: float | None
    error: float | None
    n: int
    greater_is_better: bool


@dataclass(frozen=True)
class Paired:
    """Another model minus the live one on the same rows, in the metric's unit, with bounds at 95 %."""

    difference: float
    low: float
    high: float
    greater_is_better: bool

    @property
    def is_better(self) -> bool:
        """Whether the other one is better beyond chance."""
        return self.low > 0 if self.greater_is_better else self.high < 0


def against(reference: Measured | None, current: Measured | None, alpha: float) -> Performance | None:
    """Two independent samples, one-sided at `alpha` by the normal approximation; None with few rows on a side."""
    from scipy.special import ndtr, ndtri

    if reference is None or current is None or min(reference.n, current.n) < FEWEST:
        return None
    if reference.error is None or current.error is None:
        return None
    worse = reference.value - current.value if current.greater_is_better else current.value - reference.value
    error = math.hypot(reference.error, current.error)
    reach = float(-ndtri(alpha)) * error
    p_value = float(ndtr(-worse / error)) if error > 0 else float(worse <= 0)
    return Performance(
        metric=current.metric,
        reference=reference.value,
        current=current.value,
        worse=worse,
        low=worse - reach,
        high=worse + reach,
        confidence=1 - 2 * alpha,
        n_reference=reference.n,
        n_current=current.n,
        alarm=worse - reach > 0,
        p_value=p_value,
    )
