"""Which columns of two tables can be compared, and their codes, row by row or counted over a whole stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.monitor.coding import Coder, Codes, coder, texts
from bot.monitor.drift.interface import Floats
from bot.records.health import Note


@dataclass(frozen=True)
class Source:
    """A table: its name for people, and a way to read its batches, again if need be."""

    name: str
    read: Callable[[], Iterable[Any]]


def coders(reference: Any, current: Any, ignored: frozenset[str]) -> tuple[list[Coder], list[Note]]:
    """A coder for each column that both tables have and that can be compared, and why others cannot."""
    import pyarrow as pa

    made, notes = [], []
    for name in reference.column_names:
        if name in ignored or name not in current.column_names:
            continue
        one, other = reference[name].combine_chunks(), current[name].combine_chunks()
        try:
            pooled = pa.concat_arrays([one, other]) if one.type == other.type else _joined(one, other)
            found = coder(name, pooled)
        except (pa.ArrowException, TypeError):
            found = None
        if found is None:
            notes.append(Note(code="not_tested", sentence=f"{name} was not tested: {_why_not(one.type, other.type)}."))
        else:
            notes += [Note(code="type_changed", sentence=text) for text in _changed(found, one.type, other.type)]
            made.append(found)
    return made, notes


def _why_not(one: Any, other: Any) -> str:
    import pyarrow.types as kinds

    if one == other and kinds.is_temporal(one):
        return f"a time moves on from window to window ({one})"
    return f"a value of several parts has no order ({one})" if one == other else f"it was {one} and is {other} now"


def _changed(found: Coder, one: Any, other: Any) -> Iterator[str]:
    """Numbers here and words there: the drift that is found then is a change of the table."""
    import pyarrow.types as kinds

    were, are = (kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind) for kind in (one, other))
    if were != are and found.kind == "categorical" and not kinds.is_null(one) and not kinds.is_null(other):
        yield f"{found.column} was {one} and is {other} now: it is compared as words."


def schema_notes(reference: Any, current: Any, ignored: frozenset[str], optional: frozenset[str]) -> Iterator[Note]:
    """Columns that are gone (unless optional) and columns that are new."""
    before, after = (set(one.column_names) - ignored for one in (reference, current))
    for name in sorted(before - after - optional):
        yield Note(code="column_gone", sentence=f"{name} is in the reference and no longer in the current table.")
    for name in sorted(after - before):
        yield Note(code="column_new", sentence=f"{name} is new in the current table and was not tested.")


def codes(table: Any, made: Sequence[Coder]) -> Codes:
    """Codes (n, F) of a table or a batch; a column that one file of several lacks is missing there."""
    return np.stack(list(_each(table, made)), axis=1) if made else np.zeros((table.num_rows, 0), np.uint8)


def counted(found: Codes, made: Sequence[Coder]) -> list[Floats]:
    """How often each code comes, (k,) a column."""
    return [np.bincount(found[:, number], minlength=one.size).astype(np.float64) for number, one in enumerate(made)]


def streamed(source: Source, made: Sequence[Coder]) -> list[Floats]:
    """The same over all rows of a source, in the memory of one batch."""
    totals = [np.zeros(one.size) for one in made]
    for batch in source.read():
        for total, found in zip(totals, _each(batch, made), strict=True):
            total += np.bincount(found, minlength=len(total))
    return totals


def _each(table: Any, made: Sequence[Coder]) -> Iterator[Codes]:
    names = set(table.schema.names)
    for one in made:
        has_column = one.column in names
        yield one.codes(flat(table.column(one.column))) if has_column else np.zeros(table.num_rows, np.uint8)


def _joined(one: Any, other: Any) -> Any:
    import pyarrow as pa

    tables = [pa.table({"x": side}) for side in (one, other)]
    try:
        return pa.concat_tables(tables, promote_options="permissive")["x"].combine_chunks()
    except pa.ArrowException:  # numbers became words: both are words then, and drifted
        return pa.concat_arrays([texts(side) for side in (one, other)])


def flat(column: Any) -> Any:
    """One array of a table's or a batch's column."""
    return column.combine_chunks() if hasattr(column, "combine_chunks") else column
