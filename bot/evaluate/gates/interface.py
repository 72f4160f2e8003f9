"""What a gate owes: `judge(gate, evidence) -> Finding`. And the one way an interval becomes a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri

from bot.records.evaluation import Verdict

MOST_TIMES = 1000  # as many rows as there are now; more is no advice


@dataclass(frozen=True)
class Finding:
    """A gate's verdict before it gets its place; the fields are those of `bot.records.evaluation.GateResult`."""

    verdict: Verdict
    reason_code: str
    sentence: str
    observed: float | None = None
    threshold: float | None = None
    rows_needed: int | None = None
    valid_until: str | None = None


def verdict_at_least(low: float, high: float, threshold: float) -> Verdict:
    """Whether a quantity bounded by low and high is at least the threshold; a bound on the threshold counts as there.

    An interval without width (nothing varied) is judged as the number that it is.
    """
    if math.isnan(low) or math.isnan(high):
        return "inconclusive"
    if low >= threshold:
        return "pass"
    return "fail" if high < threshold else "inconclusive"


def more_rows(n: int, distance: float, error: float, confidence: float) -> int | None:
    """Further rows until an interval of this standard error (at n rows) would leave a threshold at this distance.

    Half-width shrinks with the root of n. Rounded up to two digits, since the estimate itself will move; None when the
    value lies so near the threshold that it would take more than MOST_TIMES the rows there are.
    """
    reach = float(ndtri(0.5 + confidence / 2)) * error
    if not distance or not error:
        return None
    times = (reach / abs(distance)) ** 2
    return _rounded_up(max(1, math.ceil(n * (times - 1)))) if times < MOST_TIMES else None


def _rounded_up(count: int) -> int:
    step: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step


def settling(needed: int | None, where: str = "") -> str:
    """The end of an inconclusive sentence; `where` says which rows, such as ` of that slice`."""
    if needed is None:
        return "No reasonable number of rows would settle it: the value lies on the limit, or very near."
    noun = "row" if needed == 1 else "rows"
    return f"About {needed:,} more labelled {noun}{where} would settle it if the value stays."


def undefined(metric: str) -> Finding:
    """The metric has no value or no interval on these rows."""
    return Finding("inconclusive", "metric_undefined", f"{metric} is not defined on the test rows.")
