"""An Evaluation as plain-text tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.evaluate.words import half_width, interval, plain, signed
from bot.records.evaluation import Comparison, Evaluation, GateResult, Metric, SliceResult

MARKS = {"pass": "pass", "fail": "FAIL", "inconclusive": "cannot tell"}
SLICES_SHOWN = 8


def tables(evaluation: Evaluation, *, rows: str = "test rows") -> str:
    """Verdict, gates, metrics, comparisons and the worst slices; ends with a newline.

    `rows` says which rows were measured; only of test rows are uses counted.
    """
    head = f"{evaluation.model}: {MARKS[evaluation.verdict]} on {evaluation.n_test:,} {rows}"
    parts = [head, *_sections(evaluation), *(_uses(evaluation) if rows == "test rows" else ())]
    return "\n\n".join(parts) + "\n"


def _sections(evaluation: Evaluation) -> Iterator[str]:
    yield table(("gate", "verdict", "why"), [_gate(one) for one in evaluation.gates])
    steps = [f"{one.gate}: {one.next_step}" for one in evaluation.gates if one.next_step and one.blocks]
    if steps:
        yield "Next:\n" + "\n".join(f"  {step}" for step in steps)
    yield table(("metric", "value", "better"), [_metric(one) for one in evaluation.metrics])
    if evaluation.comparisons:
        columns = ("metric", "against", "difference", "theirs", "rows that differ", "method")
        yield table(columns, [_comparison(one) for one in evaluation.comparisons])
    for missing in evaluation.missing_baselines:
        yield f"Not compared with {missing.environment}: {missing.reason}."
    if evaluation.slices:
        head = (f"slice, worst of {len(evaluation.slices)} first", "rows", evaluation.primary_metric, "difference")
        yield table(head, [_slice(one) for one in evaluation.slices[:SLICES_SHOWN]])
    yield table(("measured", "value"), [(name, plain(value)) for name, value in evaluation.operating.items()])


def _uses(evaluation: Evaluation) -> Iterator[str]:
    for budget in evaluation.budget:
        allowed = "no budget declared" if budget.allowed is None else f"of {budget.allowed} allowed"
        yield f"Uses of these test rows for {budget.metric}: {budget.used} {allowed}."


def _gate(one: GateResult) -> tuple[str, ...]:
    shown = MARKS[one.verdict] + ("" if one.blocks else " (does not block)")
    return one.gate, shown, one.sentence


def _metric(one: Metric) -> tuple[str, ...]:
    return one.name, interval(one.value, one.low, one.high, one.unit), "higher" if one.greater_is_better else "lower"


def _comparison(one: Comparison) -> tuple[str, ...]:
    differ = f"{one.n_differ:,} of {one.n:,}"
    return one.metric, one.baseline, _difference(one), interval(one.champion, None, None), differ, one.method


def _difference(one: Comparison) -> str:
    if one.low is None or one.high is None:
        return f"{signed(one.difference)}, {one.method}"
    reach = half_width(one.low, one.high)
    return f"{signed(one.difference, reach)} ({signed(one.low, reach)} to {signed(one.high, reach)})"


def _slice(one: SliceResult) -> tuple[str, ...]:
    value = one.note if one.value is None else interval(one.value, one.low, one.high)
    return one.slice, f"{one.n:,}", value, _difference(one.comparison) if one.comparison else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned to the left, two spaces apart, with a rule below the head; control characters are written out."""
    rows = [[_visible(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    padded = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "\n".join(line.rstrip() for line in padded)


def _visible(cell: str) -> str:
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in cell)
