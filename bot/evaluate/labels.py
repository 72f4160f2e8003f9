"""Declared slices of a model spec -> a label for each test row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import UserError
from bot.evaluate.tables import texts
from bot.specs.expression import holds
from bot.specs.model import ModelSpec, Slice
from bot.specs.slices import is_cut, slice_titles

QUARTERS = 4
MANY_VALUES = 30
Labels = NDArray[np.str_]


def slice_labels(spec: ModelSpec, test: Any, train: Any) -> dict[str, Labels]:
    """Slice name -> label of each test row, empty where the row is in no slice.

    `test` and `train` are pyarrow.Tables with `slice_columns(spec)`; numeric columns are cut at quantiles of the
    training rows, so that the cuts do not depend on the rows that are judged.
    """
    return {title: _labels(title, one, test, train) for title, one in zip(slice_titles(spec), spec.slices, strict=True)}


def _labels(title: str, one: Slice, test: Any, train: Any) -> Labels:
    if one.where is not None:
        try:
            inside = np.asarray(holds(one.where, test).to_numpy(zero_copy_only=False), dtype=bool)
        except ValueError as error:
            raise UserError(f"the slice {title!r}: {error}", code="slice_invalid") from None
        return np.where(inside, title, "")
    parts = [_column_labels(one, test[column], train[column]) for column in one.columns]
    return parts[0] if len(parts) == 1 else np.char.add(np.char.add(parts[0], ", "), parts[1])


def _column_labels(one: Slice, test: Any, train: Any) -> Labels:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = test.type
    if pa.types.is_temporal(kind):
        return texts(pc.strftime(test.cast(pa.timestamp("us")), format="%Y-%m"))
    if not is_cut(kind) or not (one.edges or one.bins or pc.count_distinct(train).as_py() > MANY_VALUES):
        return texts(test)
    numbers = pc.cast(test, pa.float64(), safe=False).to_numpy()
    edges = one.edges or quantile_edges(pc.cast(train, pa.float64(), safe=False).to_numpy(), one.bins or QUARTERS)
    return binned(numbers, edges)


def quantile_edges(values: NDArray[np.float64], bins: int) -> tuple[float, ...]:
    """Inner edges that cut `values` (n,) into so many bins of about equal size; fewer when values repeat.

    Edges are round numbers, moved by at most a hundredth of the range of nine tenths of the values.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return ()
    low, high = np.quantile(known, [0.05, 0.95])
    edges = np.quantile(known, np.arange(1, bins) / bins)
    if high > low:
        edges = np.round(edges, -math.floor(math.log10((high - low) / 50)))
    return tuple(float(edge) for edge in np.unique(edges))


def binned(values: NDArray[np.float64], edges: Sequence[float]) -> Labels:
    """`below 10`, `10 to 20`, `20 or more` (lower edge included); missing is `(missing)`."""
    words = [f"{edge:.10g}" for edge in edges]
    names = (
        ["all"]
        if not words
        else [
            f"below {words[0]}",
            *(f"{low} to {high}" for low, high in pairwise(words)),
            f"{words[-1]} or more",
        ]
    )
    labels = np.array(names)[np.searchsorted(np.asarray(edges, dtype=np.float64), values, side="right")]
    return np.where(np.isnan(values), "(missing)", labels)
