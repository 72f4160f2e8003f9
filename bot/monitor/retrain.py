"""Labelled rows of the log -> rows of the model's data, and the spec's window moved so that they are used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.monitor.logged import converted, keys_of
from bot.records.log import AT, REQUEST
from bot.specs.model import ModelSpec, read_model_spec
from bot.specs.split import row_hashes

_FROM = re.compile(r"(test_from:\s*)(\"[^\"\n]*\"|'[^'\n]*'|[^,}#\s][^,}#\n]*)")


@dataclass(frozen=True)
class Window:
    """Where the spec's window stood and stands: `moved` names keys with their old and new values."""

    spec: bytes
    moved: tuple[tuple[str, str, str], ...]


def new_rows(labelled: Any, data: Any, spec: ModelSpec) -> Any:
    """Rows (pyarrow.Table) with the columns and types of `data` that its row ids do not hold yet; may be empty.

    A column is the labels' own where they bring it (`<name> (label)`, or a column that the log has not), else what was
    logged, else missing. The row id is the labels' one or made from the request; the time is the labels' one or that
    of the request. Raises UserError (code `rows_unfit`) when a value does not fit the data's type.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [_column(labelled, field, spec) for field in data.schema]
    table = pa.Table.from_arrays(columns, schema=pa.schema([(one.name, one.type) for one in data.schema]))
    ids = table[spec.data.row_id]
    _, first = np.unique(row_hashes(pc.cast(ids, pa.string()), 0), return_index=True)
    once = np.zeros(table.num_rows, dtype=bool)
    once[first] = True
    known = pc.is_in(ids, value_set=data[spec.data.row_id].combine_chunks()).to_numpy(zero_copy_only=False)
    return table.filter(pa.array(once & ~np.asarray(known, dtype=bool))).combine_chunks()


def _column(labelled: Any, field: Any, spec: ModelSpec) -> Any:
    import pyarrow as pa

    name = field.name
    if f"{name} (label)" in labelled.column_names:
        values = labelled[f"{name} (label)"]
    elif name in labelled.column_names:
        values = labelled[name]
    elif name == spec.data.row_id:
        return _ids(labelled, field.type)
    elif name == spec.data.time:
        values = labelled[AT]
    else:
        return pa.nulls(labelled.num_rows, field.type)
    return _fitted(values, field)


def _fitted(values: Any, field: Any) -> Any:
    import pyarrow as pa

    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_timestamp(values.type) and not pa.types.is_timestamp(field.type):
        values = _time_as(values, field.type)
    elif pa.types.is_timestamp(values.type) and values.type.tz and field.type.tz is None:
        values = values.cast(pa.timestamp("us", tz="UTC")).cast(pa.timestamp("us"))
    try:
        return values.cast(field.type)
    except (pa.ArrowException, NotImplementedError):
        pass
    found, fits = converted(values, field.type)
    if not fits:
        hint = "Bring the column in the labels, in the type of the data."
        raise UserError(f"{field.name} is {values.type}, in the data {field.type}", hint=hint, code="rows_unfit")
    return found


def _time_as(values: Any, kind: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pc.strftime(
            pc.floor_temporal(values, unit="second").cast(pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%SZ"
        )
    if pa.types.is_date(kind):
        return values.cast(pa.timestamp("s")).cast(kind)
    return values


def _ids(labelled: Any, kind: Any) -> Any:
    """The request's own id where requests have one row; made from both otherwise; a number is made from their hash."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_integer(kind):
        bits = kind.bit_width - 1
        return pa.array((row_hashes(keys_of(labelled), 0) >> np.uint64(64 - bits)).astype(np.int64)).cast(kind)
    requests = pc.cast(labelled[REQUEST], pa.string()).combine_chunks()
    keys = pc.replace_substring(keys_of(labelled), "\x1f", ":")
    is_alone = pc.ends_with(keys, ":0")
    return pc.if_else(is_alone, requests, keys).cast(kind)


def moved_window(text: bytes, file: str, rows: Any, data: Any) -> Window:
    """The spec with `split.test_from` and a lower bound of time in `data.where` moved on by the new rows.

    With a fixed `test_from` every new row would be a test row: it moves to the middle of the new ones, so that half of
    them train and half judge. A bound `time >= "..."` moves by as much as the newest row does, so that the window keeps
    its length. A spec without either stays as it is.
    """
    spec = read_model_spec(text, file)
    moved: list[tuple[str, str, str]] = []
    if spec.data.time is None or rows.num_rows == 0:
        return Window(text, ())
    if spec.split.test_from is not None:
        text, moved = _test_from(text, file, spec, rows)
    shift = _shift(rows[spec.data.time], data[spec.data.time])
    if spec.data.where and shift is not None:
        text, more = _where(text, file, spec, shift)
        moved += more
    return Window(text, tuple(moved))


def _test_from(text: bytes, file: str, spec: ModelSpec, rows: Any) -> tuple[bytes, list[tuple[str, str, str]]]:
    import pyarrow.compute as pc

    times = rows[spec.data.time or ""].combine_chunks()
    middle = times[pc.sort_indices(times)[len(times) // 2].as_py()].as_py()
    new = middle.isoformat(sep=" ") if isinstance(middle, datetime) else str(middle)
    changed = _FROM.sub(lambda match: f'{match[1]}"{new}"', text.decode(), count=1).encode()
    return _checked(text, changed, file, ("split.test_from", spec.split.test_from or "", new))


def _shift(new: Any, old: Any) -> Any:
    """How much younger the newest row is; None when it is no time or not younger."""
    import pyarrow.compute as pc

    before, after = (_moment(pc.max(column).as_py()) for column in (old, new))
    if not isinstance(before, date) or not isinstance(after, date) or after <= before:
        return None
    return after - before


def _moment(value: Any) -> Any:
    """A time that is written as text as a time; without its zone, so that two of them can be compared."""
    try:
        value = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _where(text: bytes, file: str, spec: ModelSpec, shift: Any) -> tuple[bytes, list[tuple[str, str, str]]]:
    bound = re.compile(rf"\b{re.escape(spec.data.time or '')}\s*>=?\s*(['\"])(\d{{4}}-\d\d-\d\d[^'\"]*)\1")
    match = bound.search(spec.data.where or "")
    if match is None:
        return text, []
    try:
        start = datetime.fromisoformat(match[2])
    except ValueError:
        return text, []
    moved = start + shift
    new = moved.strftime("%Y-%m-%d") if len(match[2]) == 10 else moved.isoformat(sep=match[2][10])
    if text.count(match[2].encode()) != 1:
        return text, []
    return _checked(text, text.replace(match[2].encode(), new.encode()), file, ("data.where", match[2], new))


def _checked(
    before: bytes, after: bytes, file: str, moved: tuple[str, str, str]
) -> tuple[bytes, list[tuple[str, str, str]]]:
    """The new text, when it is still a spec and says something else; the old one otherwise."""
    try:
        read_model_spec(after, file)
    except UserError:
        return before, []
    return (after, [moved]) if after != before else (before, [])
