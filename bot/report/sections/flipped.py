"""Flipped predictions: rows that the candidate predicts differently from what is deployed, by slice."""

from bot.records.evaluation import Comparison, Evaluation
from bot.records.numbers import count, share
from bot.report.blocks import Cell, Name, Section, Table, left, right
from bot.report.charts import bar
from bot.report.findings import champion


def section(evaluation: Evaluation) -> Section | None:
    """All rows first, then the slices, the most flips first."""
    whole = champion(evaluation)
    if whole is None or not whole.n:
        return None
    parts = [(one.slice, one.comparison) for one in evaluation.slices if one.comparison and one.comparison.n]
    parts.sort(key=lambda part: -part[1].n_differ / part[1].n)
    most = max([_share(whole), *(_share(found) for _, found in parts)]) or 1.0
    rows = [_row("all test rows", whole, most), *(_row(Name(name), found, most) for name, found in parts)]
    columns = (*left("Rows"), *right("Flipped", "Of", "Share"), *left(""))
    table = Table(columns, tuple(rows), caption=f"Predictions that differ from {whole.baseline}")
    return Section("flipped", f"Flipped predictions against {whole.baseline}", 45, (table,))


def _share(one: Comparison) -> float:
    return one.n_differ / one.n


def _row(name: Cell, one: Comparison, most: float) -> tuple[Cell, ...]:
    drawn = Name(bar(_share(one), most))
    return name, count(one.n_differ), count(one.n), share(one.n_differ, one.n), drawn
