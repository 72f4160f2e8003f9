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
GRID, GRID_FROM, CROWDED, SMALLEST_WIDTH = 4096, 10_000, 0.2, 1e-290


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
    found = _floats(values)
    return np.where(np.isfinite(found), found, np.nan)


def texts(values: Any) -> Any:
    """An Arrow array of text, null where missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return values if pa.types.is_string(values.type) else pc.cast(values, pa.string())


def _floats(values: Any) -> Floats:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        found = pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        found = np.array([_number(one) for one in values.to_pylist()], dtype=np.float64)
    return np.asarray(found, dtype=np.float64)


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
    found = _floats(values)
    if len(found) < GRID_FROM or len(edges) < 2:
        places = np.searchsorted(edges, found, side="left")
    else:
        places = _on_grid(found, edges)
    return np.where(np.isfinite(found), 1 + places, 0).astype(np.uint8)


def _on_grid(found: Floats, edges: Floats) -> NDArray[np.int64]:
    """`searchsorted`, several times faster: cells of equal width, most of which hold no edge or one.

    Exact whatever the rounding: the cell does not fall as the value rises, so an edge in a lower cell is smaller. Only
    values in cells with two edges or more are searched for. NaN gets any place.
    """
    low, width = edges[0], (edges[-1] - edges[0]) / (GRID - 2)
    own = _cells(edges, low, width) if width > SMALLEST_WIDTH and np.isfinite(width) else None
    held = np.bincount(own, minlength=GRID) if own is not None else np.zeros(0)
    if own is None or held[held > 1].sum() > CROWDED * len(edges):
        return np.asarray(np.searchsorted(edges, found, side="left"))
    before = np.searchsorted(own, np.arange(GRID), side="left")
    edge = np.where(held > 0, edges[np.minimum(before, len(edges) - 1)], np.inf)
    cell = _cells(found, low, width)
    places = before.take(cell)
    places += found > edge.take(cell)
    if (held > 1).any():
        crowded = np.flatnonzero((held > 1).take(cell))
        places[crowded] = np.searchsorted(edges, found[crowded], side="left")
    return np.asarray(places)


def _cells(values: Floats, low: float, width: float) -> NDArray[np.intp]:
    with np.errstate(invalid="ignore", over="ignore"):
        cells = values - low
        cells *= 1 / width
        cells += 1
        np.fmin(np.fmax(cells, 0, out=cells), GRID - 1, out=cells)
    return cells.astype(np.intp)


def _positions(values: Any, categories: Any) -> Codes:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(values.type):
        known = np.append(_positions(values.dictionary, categories), 0)
        indices = pc.fill_null(values.indices.cast(pa.int64()), len(known) - 1)
        return np.asarray(known[indices.to_numpy(zero_copy_only=False)], dtype=np.uint8)
    found = texts(values)
    place = pc.fill_null(pc.index_in(found, value_set=categories), len(categories)).to_numpy(zero_copy_only=False)
    return np.where(found.is_null().to_numpy(zero_copy_only=False), 0, 1 + place).astype(np.uint8)
