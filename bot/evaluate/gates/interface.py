"""What a gate owes: `judge(gate, evidence) -> Finding`. And the one way an interval becomes a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri

from bot.records.evaluation import Verdict

SETTLES_AT_MOST = 1_000_000_000


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

    Half-width shrinks with the root of n; None when the estimate lies on the threshold or the count is absurd.
    """
    reach = float(ndtri(0.5 + confidence / 2)) * error
    if not distance or not error:
        return None
    needed = math.ceil(n * (reach / abs(distance)) ** 2)
    return max(1, needed - n) if needed < SETTLES_AT_MOST else None


def settling(needed: int | None, where: str = "") -> str:
    """The end of an inconclusive sentence; `where` says which rows, such as ` of that slice`."""
    if needed is None:
        return "No reasonable number of rows would settle it: the value lies on the limit."
    noun = "row" if needed == 1 else "rows"
    return f"About {needed:,} more labelled {noun}{where} would settle it if the value stays."


def undefined(metric: str) -> Finding:
    """The metric has no value or no interval on these rows."""
    return Finding("inconclusive", "metric_undefined", f"{metric} is not defined on the test rows.")
