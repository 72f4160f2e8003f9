"""Rows that a caller may send and the test rows need not hold: each input missing, each category new, the ends of the
ranges and far beyond them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.records.training import ColumnSignature
from bot.train.prepare import Prepared

ROWS = 8  # test rows that each question is asked with
NEW = "(never seen)"
MOST_GROUPS = 64
MOST_NARROW = 100  # one more is still a value of the narrowest type of whole numbers
LIMITS = (3e38, 1e30, 1e18, 1e15, 1e12, 1e9, 1e6)  # sizes of numbers, the largest first


@dataclass(frozen=True)
class Probe:
    """A question in words, and its rows as a table of source columns."""

    question: str
    table: Any


def probes(prepared: Prepared) -> Iterator[Probe]:
    """Everything but large numbers."""
    rows, columns = some_rows(prepared), prepared.signature.columns
    for group in _groups(columns):
        yield _probe("missing:", rows, {column.name: None for column in group})
        yield _probe("a new category:", rows, {one.name: _new(prepared, one) for one in group if one.is_category})
        for position, end in enumerate(("least", "greatest")):
            ends = {column.name: prepared.ends[column.name][position] for column in group}
            yield _probe(f"the {end}", rows, {name: end for name, end in ends.items() if end.is_valid})
    if columns:
        yield _probe("every input missing, as", rows, {column.name: None for column in columns})


def large(prepared: Prepared, size: float) -> Iterator[Probe]:
    """Numbers of this size, of both signs, in each input that is read as a number."""
    rows = some_rows(prepared)
    for group in _groups(_numeric(prepared)):
        for value in (size, -size):
            yield _probe(f"{value:.0e} as", rows, {column.name: value for column in group})


def _groups(columns: Sequence[ColumnSignature]) -> list[list[ColumnSignature]]:
    """A group a column, or as many as there are questions for; each group is asked about at once."""
    step = max(1, -(-len(columns) // MOST_GROUPS))
    return [list(columns[start : start + step]) for start in range(0, len(columns), step)]


def largest_known(prepared: Prepared) -> float:
    """The size of the largest number that an input has in the training rows."""
    sizes = [0.0]
    for column in _numeric(prepared):
        ends = np.asarray([one.as_py() for one in prepared.ends[column.name] if one.is_valid], dtype=np.float64)
        sizes += np.abs(ends[np.isfinite(ends)]).tolist()
    return max(sizes)


def some_rows(prepared: Prepared) -> Any:
    """A few test rows, spread over all of them, with the source columns."""
    n = prepared.test_table.num_rows
    rows = np.unique(np.linspace(0, n - 1, ROWS).astype(np.int64))
    return prepared.test_table.select([column.name for column in prepared.signature.columns]).take(rows)


def _numeric(prepared: Prepared) -> list[ColumnSignature]:
    return [column for column in prepared.signature.columns if column.type == "double" and not column.is_category]


def _new(prepared: Prepared, column: ColumnSignature) -> Any:
    """A category that training did not see; missing where the kind has none to make up."""
    if column.kind in ("text", "category"):
        return NEW
    greatest = prepared.ends[column.name][1].as_py() if column.kind in ("integer", "number") else None
    if greatest is None or not np.isfinite(greatest) or abs(greatest) > MOST_NARROW:
        return None
    return int(greatest) + 1


def _probe(question: str, rows: Any, changes: Mapping[str, Any]) -> Probe:
    import pyarrow as pa

    columns = dict(zip(rows.column_names, rows.columns, strict=True))
    for name, value in changes.items():
        kind = columns[name].type
        is_missing = value is None
        columns[name] = pa.nulls(len(rows), kind) if is_missing else pa.repeat(pa.scalar(value, kind), len(rows))
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    asked = f"{question} {next(iter(changes))!r}{more}" if changes else ""
    return Probe(asked, pa.table(columns))
