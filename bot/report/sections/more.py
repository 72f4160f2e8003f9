"""The evaluator's own tables (data change, ML Test Score, ...), shown as they come; columns of numbers stand right."""

import re
from typing import Literal

from bot.records.evaluation import Evaluation
from bot.report.blocks import Block, Column, Section, Table, note

# How long a table stays when space is short; an id that is not here is worth more than a chart.
IMPORTANCE = {
    "fresh_rows": 85,
    "data_change": 80,
    "data_files": 80,
    "data_rows": 80,
    "data_contract": 80,
    "drift": 80,
    "label_shift": 80,
    "data_columns": 78,
    "data_quality": 76,
    "data_readers": 74,
    "ml_test_score": 38,
}
OTHER = 60
NUMBER = re.compile(r"(< )?[-+]?[\d,]+(\.\d+)?(e[-+]?\d+)?( ?(%|bytes))?")


def tables(evaluation: Evaluation) -> list[Section]:
    """A section a table. Rows that are shorter than the heading are filled, longer ones are joined at their end."""
    return [
        Section(
            one.id,
            one.heading,
            IMPORTANCE.get(one.id, OTHER),
            (*_table(one.heading, one.columns, one.rows), *_note(one.note)),
        )
        for one in evaluation.sections
    ]


def _table(heading: str, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> tuple[Block, ...]:
    if not columns or not rows:
        return ()
    width = len(columns)
    even = tuple(
        (*row[: width - 1], " ".join(row[width - 1 :]), *[""] * (width - len(row) - 1))[:width] for row in rows
    )
    is_written = [not column or any(cells) for column, cells in enumerate(zip(*even, strict=True))]
    columns, even = _only(columns, is_written), tuple(_only(row, is_written) for row in even)
    made = tuple(Column(name, _side(cells)) for name, cells in zip(columns, zip(*even, strict=True), strict=True))
    return (Table(made, even, caption=heading),)


def _only(cells: tuple[str, ...], wanted: list[bool]) -> tuple[str, ...]:
    return tuple(cell for cell, is_wanted in zip(cells, wanted, strict=True) if is_wanted)


def _side(cells: tuple[str, ...]) -> Literal["left", "right"]:
    written = [cell for cell in cells if cell]
    return "right" if written and all(map(NUMBER.fullmatch, written)) else "left"


def _note(text: str) -> tuple[Block, ...]:
    return (note(text),) if text else ()
