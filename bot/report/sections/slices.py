"""Slices, worst first: the candidate on each group of rows, and the change against what is deployed."""

from bot.records.evaluation import Comparison, Evaluation, SliceResult
from bot.records.numbers import count, unbroken
from bot.report.blocks import Block, Cell, Name, Section, Table, left, note, right
from bot.report.charts import interval_plot
from bot.report.findings import champion, is_greater_better, slice_effect, slices_worst_first
from bot.report.wording import EFFECTS, bounds, in_cell, measured, unit_of

FIRST = 12  # slices that are seen at once; the others have a section of their own


def section(evaluation: Evaluation) -> Section | None:
    """A row a slice; the drawing shows the interval of the change, with no change in its middle."""
    ordered = slices_worst_first(evaluation)
    if not ordered:
        return None
    blocks: list[Block] = [table_of(evaluation, ordered[:FIRST], ordered)]
    compared, found = any(one.comparison for one in ordered), champion(evaluation)
    if compared and found:
        better = "right" if is_greater_better(evaluation, ordered[0].metric) else "left"
        blocks.append(
            note(
                f"Differences in {ordered[0].metric} to {found.baseline} on the same rows; ┊ is no difference, "
                f"better is to the {better}. Answers are corrected for the number of slices."
            )
        )
    return Section("slices", "Slices, worst first", 85, tuple(blocks))


def table_of(evaluation: Evaluation, some: list[SliceResult], ordered: list[SliceResult]) -> Table:
    """Some of the slices; drawings have one scale for all of them."""
    reach = [reach for one in ordered if one.comparison and (reach := _reach(one.comparison)) is not None]
    return _compared(evaluation, some, max(reach)) if reach else _alone(evaluation, some)


def _reach(found: Comparison) -> float | None:
    """How far its interval lies from no difference; None without one."""
    return None if found.low is None or found.high is None else max(abs(found.low), abs(found.high))


def _compared(evaluation: Evaluation, ordered: list[SliceResult], reach: float) -> Table:
    columns = (*left("Slice"), *right("Rows", "Candidate", "Difference"), *left("Answer", "Change"))
    return Table(columns, tuple(_row(evaluation, one, reach) for one in ordered), "Slices, worst first")


def _row(evaluation: Evaluation, one: SliceResult, reach: float) -> tuple[Cell, ...]:
    found, effect = one.comparison, slice_effect(evaluation, one)
    if found is None or effect is None:
        return Name(one.slice), count(one.n), _value(evaluation, one), "–", one.note or "not compared", ""
    answer = unbroken(EFFECTS[effect]) + (f"; {one.note}" if one.note else "")
    drawn: Cell = ""
    if found.low is not None and found.high is not None:
        drawn = Name(interval_plot(found.low, found.difference, found.high, reach))
    return Name(one.slice), count(one.n), _value(evaluation, one), in_cell(found), answer, drawn


def _alone(evaluation: Evaluation, ordered: list[SliceResult]) -> Table:
    columns = (*left("Slice"), *right("Rows", "Candidate", "Interval"), *left("Note"))
    rows = tuple((Name(one.slice), count(one.n), _value(evaluation, one), _interval(one), one.note) for one in ordered)
    return Table(columns, rows, "Slices, worst first")


def _interval(one: SliceResult) -> str:
    return unbroken(bounds(one.value, one.low, one.high)) if one.value is not None else "–"


def _value(evaluation: Evaluation, one: SliceResult) -> str:
    if one.value is None:
        return "–"
    return measured(one.value, one.low, one.high, unit_of(evaluation, one.metric))
