"""What each column of a model's inputs holds and as what it is read: decided by training, carried by the artifact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.records.training import ColumnSignature, InputColumn, TableSignature, Training
from bot.specs.data import MISSING
from bot.specs.values import DICTIONARY, ZONED, arrow_type

MOST_CATEGORIES = 50  # named in the signature

_KINDS: tuple[tuple[str, str], ...] = (
    ("boolean", "is_boolean"),
    ("integer", "is_integer"),
    ("number", "is_floating"),
    ("decimal", "is_decimal"),
    ("timestamp", "is_timestamp"),
    ("date", "is_date"),
    ("time", "is_time"),
    ("text", "is_string"),
    ("text", "is_large_string"),
    ("text", "is_string_view"),
)
_EXAMPLES = {
    "boolean": "true",
    "integer": "3",
    "number": "2.5",
    "decimal": '"2.50"',
    "date": '"2024-05-01"',
    "time": '"08:30:00"',
    "timestamp": '"2024-05-01T15:00:00"',
    "text": '"some text"',
    "category": '"some text"',
}
_NUMBERS = ("number", "integer", "decimal")


def kind_of(type_: Any) -> str | None:
    """The kind of an Arrow type's values; None when a column of it can be no input."""
    import pyarrow as pa

    if pa.types.is_dictionary(type_):
        inner = kind_of(type_.value_type)
        return "category" if inner == "text" else inner
    return next((kind for kind, test in _KINDS if getattr(pa.types, test)(type_)), None)


def sign(
    columns: Iterable[InputColumn], table: Any, missing: Sequence[str], sensitive: frozenset[str]
) -> TableSignature:
    """The signature of the source columns. `table` holds the training rows; categories of `sensitive` columns are not
    named.
    """
    found = []
    for name, used in _sources(columns).items():
        column = _signed(name, used, str(table.schema.field(name).type))
        if any(one.kind == "categorical" for one in used) and name not in sensitive:
            column = column.model_copy(update={"categories": _categories(table[name])})
        found.append(column)
    return TableSignature(missing=tuple(missing), columns=tuple(found))


def signature_of(training: Training) -> TableSignature:
    """The signature that a Training carries; of an older one, what its columns' types say."""
    if training.signature is not None:
        return training.signature
    columns = [_signed(name, used, used[0].type) for name, used in _sources(training.columns).items()]
    known = {column.name for column in columns}
    rest = [ColumnSignature(name=name) for name in training.inputs if name not in known]
    return TableSignature(missing=MISSING, columns=(*columns, *rest))


def _sources(columns: Iterable[InputColumn]) -> dict[str, list[InputColumn]]:
    from bot.specs.expression import columns_of

    found: dict[str, list[InputColumn]] = {}
    columns = list(columns)
    for column in columns:
        if column.kind != "derived":
            found.setdefault(column.name, []).append(column)
    for column in columns:
        for name in columns_of(column.expression) if column.expression is not None else ():
            found.setdefault(name, [])
    return {name: used or [InputColumn(name=name, kind="source")] for name, used in found.items()}


def _signed(name: str, used: Sequence[InputColumn], type_: str) -> ColumnSignature:
    """What a column of an Arrow type is to callers and to the pipeline, by how it is used."""
    uses: set[str] = {column.kind for column in used}
    inner = DICTIONARY.fullmatch(type_)
    as_numbers = uses <= {"numeric", "source"}
    kind = _kind(type_, uses)
    zoned = ZONED.fullmatch(inner[1] if inner else type_) if kind == "timestamp" else None
    zone = zoned[2] if zoned else None
    return ColumnSignature(
        name=name,
        kind=kind,
        type=_read_as(kind, inner[1] if inner else type_, zone, uses),
        unit=zoned[1] if zoned else None,
        zone=zone,
        is_category="categorical" in uses,
        datatype=_datatype(kind, inner[1] if inner else type_, as_numbers=as_numbers),
        example=_EXAMPLES[kind][:-1] + 'Z"' if zone else _EXAMPLES[kind],
    )


def _kind(type_: str, uses: set[str]) -> Any:
    as_arrow = arrow_type(type_)
    kind = None if as_arrow is None else kind_of(as_arrow)
    if "datetime" in uses:
        return kind if kind in ("date", "timestamp") else "timestamp"
    if kind in (None, "text") and "numeric" in uses and uses <= {"numeric", "source"}:
        return "number"  # text that is read as numbers; a column without any value
    return "category" if kind == "text" and DICTIONARY.fullmatch(type_) else kind or "text"


def _read_as(kind: str, type_: str, zone: str | None, uses: set[str]) -> str:
    if kind in _NUMBERS and uses <= {"numeric", "source"}:
        return "double"
    if uses == {"datetime"}:
        return f"timestamp[us, tz={zone}]" if zone else "timestamp[us]"
    return "string" if kind in ("text", "category") else type_


def _datatype(kind: str, type_: str, *, as_numbers: bool) -> str:
    """The Open Inference Protocol's name of the type to ask callers for."""
    if kind == "boolean":
        return "BOOL"
    if kind == "integer":
        return type_.upper()
    if kind == "number" or (kind == "decimal" and as_numbers):
        return "FP32" if type_ == "float" else "FP64"
    return "BYTES"


def _categories(values: Any) -> tuple[str, ...] | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    different = values.unique().drop_null()
    if len(different) > MOST_CATEGORIES:
        return None
    return tuple(pc.cast(different, pa.string()).sort().to_pylist())
