"""Columns as small whole numbers: 0 is missing, then bins of a number or categories of a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.monitor.drift.interface import Floats, Kind

Codes = NDArray[np.uint8]
NUMERIC_BINS = 200
CATEGORIES = 100


@dataclass(frozen=True)
class Coder:
    """`edges` (numbers: upper ends of bins, the last one open) or `categories` (all others share the last code)."""

    column: str
    kind: Kind
    edges: Floats | None
    categories: Any

    @property
    def size(self) -> int:
        """How many codes there are, missing included."""
        return 2 + len(self.categories if self.edges is None else self.edges)

    def codes(self, values: Any) -> Codes:
        """uint8 (n,) of an Arrow array; a value that is no number in a numeric column counts as missing."""
        return _bins(values, self.edges) if self.edges is not None else _positions(values, self.categories)


def coder(column: str, pooled: Any) -> Coder | None:
    """A coder from the values of both tables together, so that it does not know which is which.

    None when the type cannot be compared between windows: a time moves on, a list has no order.
    """
    import pyarrow.types as kinds

    kind = pooled.type
    if kinds.is_temporal(kind) or kinds.is_nested(kind):
        return None
    if kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind):
        return Coder(column, "numeric", _edges(numbers(pooled)), None)
    return Coder(column, "categorical", None, _frequent(texts(pooled)))


def numbers(values: Any) -> Floats:
    """float64 (n,), NaN where missing, infinite or no number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        found = pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        found = np.array([_number(one) for one in values.to_pylist()], dtype=np.float64)
    out: Floats = np.where(np.isfinite(found), found, np.nan)
    return out


def texts(values: Any) -> Any:
    """An Arrow array of text, null where missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return values if pa.types.is_string(values.type) else pc.cast(values, pa.string())


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _edges(values: Floats) -> Floats:
    values = values[~np.isnan(values)]
    distinct = np.unique(values)
    if len(distinct) > NUMERIC_BINS:
        distinct = np.unique(np.quantile(values, np.linspace(0, 1, NUMERIC_BINS + 1)[1:-1], method="lower"))
    return distinct.astype(np.float64)


def _frequent(values: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    counted = pc.value_counts(values.drop_null())
    if not len(counted):
        return pa.array([], pa.string())
    # Ties go by name: by first appearance they would favour the reference, and the permutations would be wrong.
    table = pa.table({"n": counted.field("counts"), "name": counted.field("values")})
    order = pc.sort_indices(table, sort_keys=[("n", "descending"), ("name", "ascending")])[:CATEGORIES]
    return table["name"].take(order).combine_chunks()


def _bins(values: Any, edges: Floats) -> Codes:
    found = numbers(values)
    return np.where(np.isnan(found), 0, 1 + np.searchsorted(edges, found, side="left")).astype(np.uint8)


def _positions(values: Any, categories: Any) -> Codes:
    import pyarrow.compute as pc

    found = texts(values)
    place = pc.fill_null(pc.index_in(found, value_set=categories), len(categories)).to_numpy(zero_copy_only=False)
    return np.where(found.is_null().to_numpy(zero_copy_only=False), 0, 1 + place).astype(np.uint8)
