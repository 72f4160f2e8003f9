"""One reading of an interval: what it says of a limit, at another level, and about rows that are not there yet.

Every interval is read as a value with one scale to each side and Student's tails (`df` None: normal ones). So a gate, a
slice, the advice about rows and the report cannot differ on what the same numbers say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from scipy.special import ndtr, ndtri, stdtr

from bot.evaluate.tails import MANY, critical
from bot.records.evaluation import Verdict
from bot.records.measured import Difference, Estimate, Gap

POWER = 0.8
MOST_TIMES = 1000  # as many rows as there are now; more is no advice


@dataclass(frozen=True)
class Reach:
    """A value with its bounds, each of which is wrong with probability `tail`."""

    value: float
    low: float
    high: float
    tail: float
    df: float = MANY

    def turned(self, sign: float) -> Reach:
        """With -1 the same of the negative value, so that more is always better."""
        return self if sign > 0 else replace(self, value=-self.value, low=-self.high, high=-self.low)

    def at(self, tail: float) -> Reach:
        """The same interval at another level."""
        times = critical(tail, self.df) / critical(self.tail, self.df)
        low, high = (self.value + times * (bound - self.value) for bound in (self.low, self.high))
        return replace(self, low=low, high=high, tail=tail)

    def verdict(self, limit: float) -> Verdict:
        """Whether the truth is at least the limit; a bound on the limit counts as there.

        An interval without width (nothing varied) is judged as the number that it is.
        """
        if math.isnan(self.low) or math.isnan(self.high):
            return "inconclusive"
        if self.low >= limit:
            return "pass"
        return "fail" if self.high < limit else "inconclusive"

    def p_below(self, limit: float) -> float:
        """One-sided p-value of the truth being below the limit: less than `tail` when the interval lies below it."""
        return self._p(limit - self.value, self.high - self.value, self.value - self.low)

    def p_above(self, limit: float) -> float:
        """One-sided p-value of the truth being above the limit."""
        return self._p(self.value - limit, self.value - self.low, self.high - self.value)

    def _p(self, distance: float, near: float, far: float) -> float:
        scale = near if distance >= 0 else far
        if scale <= 0:
            return 0.0 if distance > 0 else 1.0
        score = distance / scale * critical(self.tail, self.df)
        return float(ndtr(-score) if self.df >= MANY else stdtr(self.df, -score))

    def more_rows(self, n: int, limit: float) -> int | None:
        """Further rows, beside the n there are, that tell the value from the limit with 80 % power if the value stays.

        The half-width shrinks with the root of n, and its tails become normal ones. Rounded up to two digits; None when
        it would take more than `MOST_TIMES` the rows there are.
        """
        distance = abs(self.value - limit)
        scale = (self.value - self.low if self.value > limit else self.high - self.value) / critical(self.tail, self.df)
        if not distance or scale <= 0:
            return None
        times = ((critical(self.tail, MANY) + float(ndtri(POWER))) * scale / distance) ** 2
        return _rounded_up(max(1, math.ceil(n * (times - 1)))) if times < MOST_TIMES else None

    @property
    def detectable(self) -> float:
        """The smallest difference that these rows show with 80 % power, whichever side is the wider."""
        widest = max(self.value - self.low, self.high - self.value)
        return widest * (1 + float(ndtri(POWER)) / critical(self.tail, self.df))


def reach_of(found: Estimate | Difference | Gap, confidence: float) -> Reach | None:
    """None when no interval is defined."""
    value = found.difference if isinstance(found, Difference) else found.value
    if found.low is None or found.high is None:
        return None
    df = None if isinstance(found, Gap) else found.df
    return Reach(value, found.low, found.high, (1 - confidence) / 2, MANY if df is None else df)


def spent_tail(look: int, tail: float) -> float:
    """The probability of error, on one side, that a look at test rows may spend: the first looks as if it were alone.

    All later ones share as much again, the k-th tail / (k (k - 1)); these add up to `tail` however many there are. So a
    candidate that is no better passes at some look with at most twice the tail (alpha spending, Lan and DeMets 1983;
    over hypotheses that come one after another, Foster and Stine 2008).
    """
    return tail if look <= 1 else tail / (look * (look - 1))


def at_tail(found: Difference, confidence: float, tail: float) -> Difference:
    """The difference with bounds at another level."""
    reach = reach_of(found, confidence)
    if reach is None:
        return found
    wider = reach.at(tail)
    return replace(found, low=wider.low, high=wider.high)


def _rounded_up(count: int) -> int:
    step: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step
