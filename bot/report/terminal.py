"""Report -> a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from bot.records.report import Report
from bot.report.blocks import Cell, Table
from bot.report.details import Details, details
from bot.report.overview import overview
from bot.report.status import plain
from bot.report.table import models_table
from bot.report.withhold import released
from bot.words import visible

WIDTH = 120


def table(report: Report, *, width: int = WIDTH, details_of: bool = False, color: bool = False) -> str:
    """Headline, models and next steps as text of at most `width` columns; `details_of` adds every model's sections.

    Control characters are written out, and no line can be taken for a workflow command.
    """
    report = released(report)
    console = Console(width=width, force_terminal=color, color_system="standard" if color else None, highlight=False)
    with console.capture() as captured:
        for part in _parts(report, details_of):
            console.print(part)
    return "\n".join(_harmless(line.rstrip()) for line in captured.get().splitlines()) + "\n"


def _parts(report: Report, details_of: bool) -> Iterable[RenderableType]:
    seen, models = overview(report), models_table(report)
    yield _text(f"{seen.verdict}: {plain(seen.headline)}", "bold")
    for label, said in (("Changed", seen.changed), ("Better?", seen.better), ("Worse for", seen.worse_for)):
        if any(said):
            yield _text(f"{label}: {plain(said)}")
    if models:
        yield _grid(models)
    for line in seen.blocked_by:
        yield _text(f"In the way: {plain(line)}", "red")
    for step in seen.steps:
        for who, action in step.people:
            yield _text(f"Next: {who}: {action}")
        if step.command:
            yield _text(f"      {step.command}")
    for one in details(report) if details_of else ():
        yield from _details(one)


def _details(one: Details) -> Iterable[RenderableType]:
    yield _text(f"\n{plain(one.summary)}", "bold")
    for section in one.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                yield _grid(block, title=section.heading)


def _grid(one: Table, title: str | None = None) -> Grid:
    grid = Grid(title=_text(title) if title else None, title_justify="left")
    for column in one.columns:
        grid.add_column(_text(column.heading), justify=column.align)
    for row in one.rows:
        grid.add_row(*(_text(_plain(cell)) for cell in row))
    return grid


def _plain(cell: Cell) -> str:
    return plain(cell) if isinstance(cell, tuple) else plain((cell,))


def _text(text: str, style: str = "") -> Text:
    return Text(visible(text, keep="\n"), style=style)


def _harmless(line: str) -> str:
    # The runner trims a line before it looks for `::`, and finds the older `##[` anywhere.
    shown = line.replace("##[", "## [")
    return f"· {shown}" if shown.lstrip().startswith("::") else shown
