"""Source columns -> the columns that the fitted pipeline reads: one pure function for training and for prediction.

Numbers become float64, where missing and infinite are NaN; categories and text become text, where missing is "";
dates become their parts as numbers; derived columns become the value of their expression.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.records.training import InputColumn
from bot.specs.expression import evaluate
from bot.specs.features import PERIODS
from bot.specs.moments import MICROSECONDS_A_DAY
from bot.specs.values import plain

MISSING_TEXT = ""
_HINTS = {
    "numeric": "Not every value is a number: mend the data, or list it under `categorical` or `text`.",
    "datetime": "Write dates like 2024-05-01 or 2024-05-01T15:00:00.",
}


def frame(table: Any, columns: Sequence[InputColumn]) -> Any:
    """A pyarrow.Table with the columns of `frame_names(columns)` and as many rows as `table`, a pyarrow.Table with at
    least the source columns.

    Raises UserError (code `column_missing`, `column_type`) when a column is absent or of a type that cannot be read.
    """
    import pyarrow as pa

    arrays: dict[str, Any] = {}
    known = dict(zip(table.column_names, table.columns, strict=True))  # Arrow looks names up one by one
    for column in columns:
        arrays.update(_columns(table, known, column))
    if not arrays:  # a table without columns has no rows; a model of no inputs still predicts
        arrays["(none)"] = np.zeros(table.num_rows)
    return pa.table(arrays)


def frame_names(column: InputColumn) -> tuple[str, ...]:
    """Names of the columns that `frame` makes of one input column."""
    if column.kind == "source":
        return ()
    if column.kind != "datetime":
        return (column.name,)
    plain = [f"{column.prefix or column.name}__{part}" for part in column.parts]
    if not column.cyclic:
        return tuple(plain)
    return tuple(
        f"{name}{end}"
        for name, part in zip(plain, column.parts, strict=True)
        for end in (("_sin", "_cos") if part in PERIODS else ("",))
    )


def is_text(column: InputColumn) -> bool:
    """Whether `frame` makes text (and not float64) of it."""
    return column.kind in ("categorical", "text")


def _columns(table: Any, known: Mapping[str, Any], column: InputColumn) -> dict[str, Any]:
    import pyarrow as pa

    if column.kind == "derived":
        assert column.expression is not None
        return {column.name: _derived(table, column)}
    if column.name not in known:
        raise UserError(
            f"the column {column.name!r} is not there",
            hint=f"There are: {', '.join(table.column_names[:20])}.",
            code="column_missing",
        )
    values = plain(known[column.name])
    try:
        if column.kind == "datetime":
            return _parts(values, column)
        return {} if column.kind == "source" else {column.name: _text(values) if is_text(column) else _number(values)}
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):  # its words hold a value
        raise UserError(
            f"the column {column.name!r} ({values.type}) cannot be read as {column.kind}",
            hint=_HINTS.get(column.kind, "Name it under another kind of `features`."),
            code="column_type",
        ) from None


def _derived(table: Any, column: InputColumn) -> Any:
    import pyarrow as pa

    try:
        values = evaluate(column.expression or "", table)
        if pa.types.is_string(values.type) or pa.types.is_temporal(values.type):
            of = "text" if pa.types.is_string(values.type) else "a date or time"
            raise ValueError(f"`{column.expression}` is {of}, not a number")
    except ValueError as error:
        hint = "Compute a number: the difference of two times is one, in days. Text goes under `categorical` or `text`."
        raise UserError(f"the derived column {column.name!r}: {error}", hint=hint, code="column_type") from None
    return _number(values)


def _number(values: Any) -> Any:
    """float64 (n,); missing and infinite are NaN."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_decimal(values.type) or pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        values = values.cast(pa.float64())
    if pa.types.is_temporal(values.type):
        raise pa.ArrowInvalid("a date or time is not a number; list it under `datetime`")
    numbers = pc.cast(values, pa.float64(), safe=False).to_numpy()
    if np.isinf(numbers).any():
        return np.where(np.isinf(numbers), np.nan, numbers)
    return numbers


def _text(values: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.fill_null(values.cast(pa.string()), MISSING_TEXT)


def _clock(values: Any, zone: str | None) -> Any:
    """Timestamps as a clock in the zone shows them; those without a zone are taken as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if zone is None or not pa.types.is_timestamp(values.type) or values.type.tz is None:
        return values.cast(pa.timestamp("us"), safe=False)
    return pc.local_timestamp(values.cast(pa.timestamp("us", zone), safe=False))


def _parts(values: Any, column: InputColumn) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    times = _clock(values, column.zone)
    moments = values.cast(pa.timestamp("us"), safe=False)
    readers = {"weekday": pc.day_of_week, "week": pc.iso_week}
    names, arrays = list(frame_names(column)), []
    for part in column.parts:
        if part == "elapsed_days":
            arrays.append(_number(moments.cast(pa.int64())) / MICROSECONDS_A_DAY)
            continue
        read = readers.get(part) or getattr(pc, part)
        number = _number(read(times))
        if column.cyclic and part in PERIODS:
            angle = number * (2 * math.pi / PERIODS[part])
            arrays += [np.sin(angle), np.cos(angle)]
        else:
            arrays.append(number)
    return dict(zip(names, arrays, strict=True))
