"""One rule for reading a value: an Arrow column, text of a CSV file, JSON, or a binary tensor -> the column that the
pipeline was fitted on, or a refusal with the column's name and an example.

Null, NaN, an empty text and the spellings in `data.missing` are one thing in every way in: missing, an Arrow null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.records.training import ColumnSignature, TableSignature

EXACT = 2**53  # above it a float does not hold every whole number
ZONED = re.compile(r"timestamp\[(s|ms|us|ns)(?:, tz=(.+))?\]")
DICTIONARY = re.compile(r"dictionary<values=(.+), indices=\w+, ordered=\d>")
_DECIMAL = re.compile(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)")
_WORDS = {
    "boolean": "true or false",
    "integer": "whole numbers",
    "number": "numbers",
    "decimal": "decimal numbers",
    "date": "dates",
    "time": "times of day",
    "timestamp": "dates with a time",
    "text": "text",
    "category": "text",
}


def arrow_type(name: str) -> Any:
    """The Arrow type that prints as `name`; None for types that hold no plain values (lists, structs)."""
    import pyarrow as pa

    found = DICTIONARY.fullmatch(name)
    if found:
        return arrow_type(found[1])
    if zoned := ZONED.fullmatch(name):
        return pa.timestamp(zoned[1], zoned[2])
    if decimal := _DECIMAL.fullmatch(name):
        return getattr(pa, f"decimal{decimal[1]}")(int(decimal[2]), int(decimal[3]))
    try:
        return pa.type_for_alias(name)
    except ValueError:
        return None


def plain(values: Any, missing: Sequence[str] | None = None) -> Any:
    """An Arrow column in its one form: no dictionary, and null for NaN and for text that spells missing.

    `missing` None: the text was read with these spellings already.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    types, kind = pa.types, values.type
    if types.is_dictionary(kind):
        values, kind = values.cast(kind.value_type), kind.value_type
    if types.is_float16(kind):
        values, kind = values.cast(pa.float32()), pa.float32()
    if types.is_string_view(kind):
        values, kind = values.cast(pa.string()), pa.string()
    if types.is_floating(kind):
        is_nan = pc.is_nan(values)
        return pc.if_else(is_nan, pa.scalar(None, kind), values) if pc.any(is_nan).as_py() else values
    if missing is not None and (types.is_string(kind) or types.is_large_string(kind)):
        spelled = pc.is_in(values, value_set=pa.array(missing, kind))
        return pc.if_else(spelled, pa.scalar(None, kind), values) if pc.any(spelled).as_py() else values
    return values


def plain_table(table: Any, missing: Sequence[str] | None = None) -> Any:
    """A pyarrow.Table, or a record batch, with every column in its one form."""
    columns = [plain(column, missing) for column in table.columns]
    return type(table).from_arrays(columns, names=table.schema.names)


def conformed(table: Any, signature: TableSignature) -> Any:
    """The model's source columns of a pyarrow.Table, each as the pipeline was fitted on.

    Raises UserError (`column_missing`, `column_type`).
    """
    import pyarrow as pa

    known = dict(zip(table.column_names, table.columns, strict=True))
    arrays = {}
    for column in signature.columns:
        if column.name not in known:
            hint = f"There are: {', '.join(table.column_names[:20])}."
            raise UserError(f"the column {column.name!r} is not there", hint=hint, code="column_missing")
        arrays[column.name] = as_column(known[column.name], column, signature.missing)
    return pa.table(arrays) if arrays else table


def as_column(values: Any, column: ColumnSignature, missing: Sequence[str]) -> Any:
    """An Arrow column of `column.type` from an Arrow column, a list (None is missing) or a numpy array.

    Raises UserError (code `column_type`) that names the column, what it holds, and an example; never a value.
    """
    import pyarrow as pa

    try:
        if isinstance(values, np.ndarray) and values.dtype.kind == "f" and values.dtype.itemsize < _floats(column):
            raise ValueError
        wanted = arrow_type(column.type)
        found = plain(values if isinstance(values, pa.Array | pa.ChunkedArray) else _array(values, wanted), missing)
        if found.type == wanted or wanted is None:
            return found
        if found.null_count == len(found):
            return pa.nulls(len(found), wanted)
        return _READERS[column.kind](found, column, wanted)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, NotImplementedError):
        raise refusal(column) from None


def _array(values: Any, wanted: Any) -> Any:
    """As Arrow takes it; whole numbers from 2**63 on, which it takes only when it is told of them."""
    import pyarrow as pa

    try:
        return pa.array(values)
    except OverflowError:
        return pa.array(values, wanted)


def refusal(column: ColumnSignature) -> UserError:
    """What a column holds, by its kind."""
    zone = "" if column.kind != "timestamp" else " and a zone" if column.zone else " and no zone"
    return UserError(
        f"the column {column.name!r} holds {_WORDS[column.kind]}{zone}, for example {column.example}",
        hint="Give the type that the model was trained on.",
        code="column_type",
    )


def _floats(column: ColumnSignature) -> int:
    """Bytes that a tensor must have: 0.1 in single precision is another category than 0.1 in double."""
    return 8 if column.type == "double" and column.is_category else 0


def _number(values: Any, column: ColumnSignature, wanted: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_temporal(values.type):
        raise ValueError
    if pa.types.is_boolean(values.type) and column.kind == "number" and wanted != pa.float64():
        raise ValueError
    return plain(pc.cast(values, wanted, safe=False) if not _is_text(values) else pc.cast(values, wanted))


def _integer(values: Any, column: ColumnSignature, wanted: Any) -> Any:
    """Whole numbers whatever the type that carries them: a category 2 must not become 2.0, nor 2.5 become 2."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if wanted == pa.float64():
        return _number(values, column, wanted)
    if pa.types.is_boolean(values.type):
        raise ValueError
    if pa.types.is_floating(values.type) and (pc.max(pc.abs(values)).as_py() or 0) > EXACT:
        raise ValueError
    wide = pa.uint64() if wanted == pa.uint64() else pa.int64()
    if _is_text(values):  # "2.0" as a spreadsheet writes it
        values = pc.replace_substring_regex(values, r"^([+-]?\d+)\.0*$", r"\1")
    return pc.cast(values, wide)


def _decimal(values: Any, column: ColumnSignature, wanted: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if wanted == pa.float64():
        return _number(values, column, wanted)
    if pa.types.is_floating(values.type):  # 2.1 is "2.1" to whoever sends it, and not the nearest binary fraction
        values = pc.cast(values, pa.string())
    if pa.types.is_boolean(values.type):
        raise ValueError
    return pc.cast(values, wanted)


def _boolean(values: Any, _column: ColumnSignature, _wanted: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if _is_text(values):
        return pc.cast(pc.replace_substring_regex(pc.ascii_lower(values), r"^([01])\.0$", r"\1"), pa.bool_())
    if pa.types.is_temporal(values.type):
        raise ValueError
    numbers = pc.cast(values, pa.float64())
    if not pc.all(pc.is_in(numbers, value_set=pa.array([0.0, 1.0, None]))).as_py():
        raise ValueError
    return pc.cast(numbers, pa.bool_())


def _text(values: Any, _column: ColumnSignature, wanted: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (_is_text(values) or pa.types.is_integer(values.type)):
        raise ValueError
    return pc.cast(values, wanted)


def _date(values: Any, column: ColumnSignature, wanted: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(wanted):
        return _timestamp(values, column, wanted)
    if _is_text(values):
        try:
            return pc.cast(values, wanted)
        except pa.ArrowInvalid:
            values = _moments(values, None)
    if not pa.types.is_temporal(values.type):
        raise ValueError
    found = pc.cast(values, wanted, safe=False)
    if not pc.all(pc.equal(pc.cast(found, pa.timestamp("us")), pc.cast(values, pa.timestamp("us")))).as_py():
        raise ValueError
    return found


def _time(values: Any, _column: ColumnSignature, wanted: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if _is_text(values):
        dated = _moments(pc.binary_join_element_wise("1970-01-01", values, "T"), None)
        values = pc.cast(dated, pa.time64("us"))
    if not pa.types.is_time(values.type):
        raise ValueError
    return pc.cast(values, wanted)


def _timestamp(values: Any, column: ColumnSignature, wanted: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if _is_text(values):
        values = _moments(values, column.zone)
    is_date = pa.types.is_date(values.type)
    if not (is_date or pa.types.is_timestamp(values.type)):
        raise ValueError
    if column.zone and (is_date or values.type.tz is None):
        raise ValueError
    if not column.zone and not is_date and values.type.tz is not None:
        raise ValueError
    return pc.cast(values, wanted, safe=column.is_category)


def _moments(values: Any, zone: str | None) -> Any:
    """ISO 8601 text as timestamps of microseconds, or of nanoseconds where the text has them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return pc.cast(values, pa.timestamp("us", zone))
    except pa.ArrowInvalid:
        return pc.cast(values, pa.timestamp("ns", zone))


def _is_text(values: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(values.type) or pa.types.is_large_string(values.type))


_READERS: Mapping[str, Callable[[Any, ColumnSignature, Any], Any]] = {
    "number": _number,
    "integer": _integer,
    "decimal": _decimal,
    "boolean": _boolean,
    "text": _text,
    "category": _text,
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
}


def json_values(values: Any) -> list[Any]:
    """An Arrow column as JSON: dates, times and decimals as text that `as_column` reads back, missing as None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = plain(values)
    if pa.types.is_temporal(values.type) or pa.types.is_decimal(values.type):
        values = pc.cast(values, pa.string())
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_finite(values), values, pa.scalar(None, values.type))
    found: list[Any] = values.to_pylist()
    return found
