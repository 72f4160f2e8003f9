"""What a spec says of columns against an Arrow schema: names that are not there, and types that do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.errors import UserError
from bot.specs.agreement import named_columns
from bot.specs.data import CONTENT
from bot.specs.expression import evaluate, holds
from bot.specs.model import ModelSpec
from bot.specs.slices import slice_errors
from bot.specs.validation import did_you_mean


def name_errors(spec: ModelSpec, names: Any) -> Iterator[UserError]:
    """A mistake at its place for each column that the spec names outright and that is not among `names`."""
    for path, column in named_columns(spec):
        if column not in names and column != CONTENT:
            key = ".".join(map(str, path))
            hint = did_you_mean(column, names, noun="columns")
            message = f"`{key}`: there is no column {column!r} in {spec.data.path}"
            yield UserError(message, hint=hint, place=spec.place(key), code="column_missing")


def type_errors(spec: ModelSpec, schema: Any) -> Iterator[UserError]:
    """The same for conditions, derived columns and slices that the types of the columns do not allow."""
    empty = schema.empty_table()
    if spec.data.where is not None:
        yield from _refused(spec, "data.where", spec.data.where, lambda text: holds(text, empty), "where_invalid")
    for name, text in spec.features.derived.items():
        yield from _refused(spec, f"features.derived.{name}", text, lambda text: _number(text, empty), "column_type")
    yield from slice_errors(spec, schema)


def _number(text: str, table: Any) -> None:
    import pyarrow as pa

    kind = evaluate(text, table).type
    if pa.types.is_string(kind) or pa.types.is_temporal(kind):
        of = "text" if pa.types.is_string(kind) else "a date or time; the difference of two is a number of days"
        raise ValueError(f"`{text}` is {of}, and a derived column is a number")


def _refused(spec: ModelSpec, key: str, text: str, check: Any, code: str) -> Iterator[UserError]:
    try:
        check(text)
    except ValueError as error:
        hint = (getattr(error, "context", None) or {}).get("hint")
        yield UserError(f"`{key}`: {error}", hint=hint, place=spec.place(key), code=code)
