"""What a gate owes: `judge(gate, evidence) -> Finding`, by the reading of an interval in `bot/evaluate/reach.py`."""

from __future__ import annotations

from dataclasses import dataclass

from bot.records.evaluation import Verdict
from bot.records.measured import Difference, Estimate


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


def settling(needed: int | None, where: str = "") -> str:
    """The end of an inconclusive sentence; `where` says which rows, such as ` of that slice`."""
    if needed is None:
        return "No reasonable number of rows would settle it: the value lies on the limit, or very near."
    noun = "row" if needed == 1 else "rows"
    return f"About {needed:,} more labelled {noun}{where} would settle it four times in five if the value stays."


def undefined(metric: str) -> Finding:
    """The metric has no value or no interval on these rows."""
    return Finding("inconclusive", "metric_undefined", f"{metric} is not defined on the test rows.")


def untold(metric: str, found: Estimate | Difference) -> Finding:
    """The metric has a value, but no interval of it can be trusted."""
    sentence = f"{metric} cannot be judged on these rows: {found.method}."
    return Finding("inconclusive", "interval_unknown", sentence)
