"""The slices of a spec: their titles, the columns that they read, and whether a table has what they need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from bot.errors import UserError
from bot.specs.expression import columns_of, holds
from bot.specs.model import ModelSpec, Slice
from bot.specs.validation import did_you_mean

CROSS = " × "


def slice_columns(spec: ModelSpec) -> tuple[str, ...]:
    """Columns that the spec's slices read, each once."""
    named = [column for one in spec.slices for column in (*one.columns, *(columns_of(one.where) if one.where else ()))]
    return tuple(dict.fromkeys(named))


def slice_titles(spec: ModelSpec) -> tuple[str, ...]:
    """What each slice is called: its name, condition or columns, with how they are cut where two share that."""
    plain = [one.name or one.where or CROSS.join(one.columns) for one in spec.slices]
    count = Counter(plain)
    return tuple(
        f"{title} ({_cut(one)})" if count[title] > 1 and _cut(one) else title
        for title, one in zip(plain, spec.slices, strict=True)
    )


def _cut(one: Slice) -> str:
    if one.bins:
        return f"{one.bins} bins"
    return f"at {', '.join(f'{edge:.10g}' for edge in one.edges)}" if one.edges else ""


def slice_errors(spec: ModelSpec, schema: Any) -> Iterator[UserError]:
    """A mistake (code `slice_invalid`) at its place for each slice that names a column which an Arrow schema does not
    have, cuts one that is no number, or has a condition that its types do not allow.
    """
    for number, (one, title) in enumerate(zip(spec.slices, slice_titles(spec), strict=True)):
        problem = _problem(one, schema)
        if problem:
            text, hint = problem
            place = spec.place(f"slices.{number}")
            yield UserError(f"the slice {title!r}: {text}", hint=hint, place=place, code="slice_invalid")


def _problem(one: Slice, schema: Any) -> tuple[str, str | None] | None:
    for column in (*one.columns, *(columns_of(one.where) if one.where else ())):
        if column not in schema.names:
            return f"there is no column {column!r}", did_you_mean(column, schema.names, noun="columns")
    if one.where is not None:
        try:
            holds(one.where, schema.empty_table())
        except ValueError as error:
            return str(error), (getattr(error, "context", None) or {}).get("hint")
    for column in one.columns if one.bins or one.edges else ():
        if not is_cut(schema.field(column).type):
            key = "bins" if one.bins else "edges"
            hint = f"Remove `{key}`: each of its values is a slice."
            return f"`{key}` cut numbers, and {column!r} is {schema.field(column).type}", hint
    return None


def is_cut(kind: Any) -> bool:
    """Whether a column of an Arrow type is a number that can be cut into bins."""
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
