"""Words for findings: one place for each sentence about numbers. Plain text; the formats escape it."""

from __future__ import annotations

from bot.records.evaluation import Comparison, Evaluation, GateResult, SliceResult
from bot.records.numbers import (
    count,
    counted,
    decimals,
    decimals_of_difference,
    number,
    signed,
    unbroken,
    with_unit,
)
from bot.report.findings import Effect, State, effect, is_greater_better, metric

# A sign never stands without its word.
STATES: dict[State, str] = {
    "pass": "✅ pass",
    "fail": "❌ fail",
    "inconclusive": "❔ cannot tell",
    "failed": "💥 training failed",
    "invalid": "❌ invalid spec",
    "no_data": "❌ data missing",
    "held": "⏸ not trained yet",
    "running": "⏳ training",
}
STATUSES = {
    "approved": "✅ Approved",
    "pending": "⏳ Waiting",
    "rejected": "⛔ Blocked",
    "error": "⚠️ Error",
    "not_applicable": "➖ Nothing to decide",
}
EFFECTS: dict[Effect, str] = {
    "better": "▲ better",
    "worse": "▼ worse",
    "unclear": "○ unclear",
    "same": "= the same",
}
CHANGES = {  # in the order to name them
    "spec": "model specs",
    "data": "data",
    "schema": "data schemas",
    "policy": "policies",
    "evaluator": "the evaluator",
    "code": "the bot's code",
    "workflow": "workflows",
    "data_remote": "the data remote",
    "docs": "documentation",
    "other": "other files",
}
BASELINES = {"dummy": "a constant guess", "linear": "a linear model"}


def unit_of(evaluation: Evaluation, name: str) -> str:
    """The metric's unit; nothing where it is the unit of the target, which only the data know."""
    found = metric(evaluation, name)
    return "" if found is None or found.unit == "target" else found.unit


def measured(value: float, low: float | None, high: float | None, unit: str = "") -> str:
    """`0.912`: the digits that the interval supports, with the unit."""
    return with_unit(number(value, decimals(low, high, value)), unit)


def bounds(value: float, low: float | None, high: float | None) -> str:
    """`0.903 to 0.921`; an en dash where no interval is defined."""
    if low is None or high is None:
        return "–"
    digits = decimals(low, high, value)
    return f"{number(low, digits)} to {number(high, digits)}"


def difference(comparison: Comparison) -> str:
    """`+0.014 (+0.008 to +0.020)`; without an interval that can be trusted `+0.014 (no interval)`."""
    if comparison.low is None or comparison.high is None:
        return f"{signed(comparison.difference, decimals(None, None, comparison.difference))} (no interval)"
    digits = decimals_of_difference(comparison.low, comparison.high, comparison.difference)
    low, high = signed(comparison.low, digits), signed(comparison.high, digits)
    return f"{signed(comparison.difference, digits)} ({low} to {high})"


def in_cell(comparison: Comparison) -> str:
    """`difference` for a narrow cell: it may break before its interval, and nowhere else."""
    return unbroken(difference(comparison)).replace("\N{NO-BREAK SPACE}(", " (")


def pair(evaluation: Evaluation, comparison: Comparison) -> tuple[str, str]:
    """Candidate and champion with the digits of the candidate's own interval."""
    found, unit = metric(evaluation, comparison.metric), unit_of(evaluation, comparison.metric)
    low, high = (found.low, found.high) if found else (None, None)
    digits = decimals(low, high, comparison.candidate)
    return with_unit(number(comparison.candidate, digits), unit), with_unit(number(comparison.champion, digits), unit)


def verdict_on(evaluation: Evaluation, comparison: Comparison) -> str:
    """`▲ better`, `▼ worse`, ..."""
    return EFFECTS[effect(comparison, is_greater_better(evaluation, comparison.metric))]


def detectable(comparison: Comparison) -> str:
    """What the test rows could have shown, as a sentence; empty when that is not known."""
    if comparison.smallest_detectable is None:
        return ""
    digits = decimals(0, 2 * comparison.smallest_detectable, 1)
    smallest = number(comparison.smallest_detectable, digits)
    return f"{counted(comparison.n, 'test row')} show a difference of {smallest} or more four times in five."


def slice_line(one: SliceResult) -> str:
    """`0.871, −0.021 (−0.034 to −0.008) on 412 rows`."""
    value = measured(one.value, one.low, one.high) if one.value is not None else "not measured"
    change = f", {difference(one.comparison)}" if one.comparison else ""
    return f"{value}{change} on {count(one.n)} rows"


def direction(evaluation: Evaluation, name: str) -> str:
    """`higher is better` or `lower is better`."""
    return "higher is better" if is_greater_better(evaluation, name) else "lower is better"


def sentence(text: str) -> str:
    """The text with a full stop, unless it ends with a mark of its own; empty stays empty."""
    shown = text.strip()
    return shown if not shown or shown[-1] in ".!?…:" else f"{shown}."


def needed(gate: GateResult) -> str:
    """How many further test rows would tell what this gate asks; empty when unknown, or when its sentence says it."""
    rows = counted(gate.rows_needed, "more labelled row") if gate.rows_needed else ""
    return f"About {rows} would settle it." if rows and count(gate.rows_needed or 0) not in gate.sentence else ""
