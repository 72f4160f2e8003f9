"""A release's own metric on new labelled rows against the same metric on its test rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.monitor.performance import FEWEST
from bot.records.health import Performance

MANY = 10_000.0


@dataclass(frozen=True)
class Measured:
    """A metric of one model on some rows; its bounds at 95 %, None where no interval can be trusted, and their degrees
    of freedom, None for normal tails.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    df: float | None
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


TAIL = 0.025  # of the bounds


def against(reference: Measured | None, current: Measured | None, alpha: float) -> Performance | None:
    """Two independent samples, one-sided at `alpha`; None with few rows on a side, or without an interval of one.

    The interval of the loss is recovered from those of the two values, which are not symmetric (Zou and Donner 2008).
    """
    from scipy.special import stdtr, stdtrit

    if reference is None or current is None or min(reference.n, current.n) < FEWEST:
        return None
    if None in (reference.low, reference.high, current.low, current.high):
        return None
    sign = 1.0 if current.greater_is_better else -1.0
    worse = sign * (reference.value - current.value)
    df = min(one.df or MANY for one in (reference, current))
    down, up = _reaches(reference, sign), _reaches(current, sign)
    scale = -float(stdtrit(df, TAIL))
    below, above = math.hypot(down[0], up[1]) / scale, math.hypot(down[1], up[0]) / scale
    reach = -float(stdtrit(df, alpha))
    used = below if worse > 0 else above
    p_value = float(stdtr(df, -worse / used)) if used > 0 else float(worse <= 0)
    return Performance(
        metric=current.metric,
        reference=reference.value,
        current=current.value,
        worse=worse,
        low=worse - reach * below,
        high=worse + reach * above,
        confidence=1 - 2 * alpha,
        n_reference=reference.n,
        n_current=current.n,
        alarm=worse - reach * below > 0,
        p_value=p_value,
    )


def _reaches(one: Measured, sign: float) -> tuple[float, float]:
    """How far the bounds lie on the worse and on the better side."""
    low, high = one.low if one.low is not None else one.value, one.high if one.high is not None else one.value
    down, up = one.value - low, high - one.value
    return (down, up) if sign > 0 else (up, down)
