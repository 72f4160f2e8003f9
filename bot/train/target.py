"""The target and weight columns -> arrays for fitting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.specs.model import ModelSpec


@dataclass(frozen=True)
class Target:
    """`values`: positions in `classes`, int64 (n,), or float64 (n,) for a regression, where `classes` is None.
    `weights`: float64 (n,), None when every row counts the same.
    """

    values: Any
    classes: tuple[str, ...] | None
    weights: Any

    def at(self, rows: Any) -> Target:
        """The rows of a mask or of positions."""
        return Target(self.values[rows], self.classes, None if self.weights is None else self.weights[rows])


def read_target(spec: ModelSpec, table: Any, train: Any) -> Target:
    """The target of all rows; the classes are those of the training rows, sorted, the positive one last.

    Raises UserError when the training rows have one class, a binary target has more than two, a test row has a class
    that training never saw, or numbers are not finite.
    """
    weights = _weights(spec, table, train)
    column = table[spec.data.target]
    if spec.task == "regression":
        hint = "Write `task: binary` or `task: multiclass` for classes."
        return Target(_numbers(column, f"the target {spec.data.target!r}", hint), None, weights)
    return Target(*_codes(spec, column, train), weights)


def _codes(spec: ModelSpec, column: Any, train: Any) -> tuple[Any, tuple[str, ...]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    known = column.filter(pa.array(train)).unique()
    texts = known.take(pc.sort_indices(known)).cast(pa.string()).to_pylist()
    classes = tuple(dict.fromkeys(texts))
    name = spec.data.target
    if len(classes) < 2:
        raise UserError(
            f"the target {name!r} has one class in the training rows: {classes[0]!r}",
            hint="A model needs rows of at least two classes; look at `data.where` and `split`.",
            code="target_one_class",
        )
    if spec.task == "binary":
        classes = _binary(classes, spec)
    codes = pc.index_in(column.cast(pa.string()), value_set=pa.array(classes, pa.string()))
    if codes.null_count:
        raise UserError(
            f"the target {name!r} has {codes.null_count} test rows of a class that no training row has",
            hint="Filter the class out with `data.where`, or split by `stratified`.",
            code="target_unseen_class",
        )
    return codes.to_numpy().astype(np.int64), classes


def _binary(classes: tuple[str, ...], spec: ModelSpec) -> tuple[str, ...]:
    if len(classes) > 2:
        raise UserError(
            f"the target {spec.data.target!r} has {len(classes)} classes: {', '.join(classes[:5])}",
            hint="Write `task: multiclass`.",
            code="target_classes",
        )
    if spec.positive is None:
        return classes
    positive = str(spec.positive).lower() if isinstance(spec.positive, bool) else str(spec.positive)
    if positive not in classes:
        hint = f"The classes are {' and '.join(classes)}."
        raise UserError(
            f"`positive: {positive}` is not a class of {spec.data.target!r}", hint=hint, code="target_classes"
        )
    return (*(name for name in classes if name != positive), positive)


def _numbers(column: Any, what: str, hint: str, code: str | None = None) -> Any:
    import pyarrow as pa

    try:
        values = column.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        raise UserError(f"{what} is {column.type}, not a number", hint=hint, code=code or "target_type") from None
    if not np.isfinite(values).all():
        n = int((~np.isfinite(values)).sum())
        hint = "Filter these rows out with `data.where`."
        raise UserError(f"{what} is missing or not finite in {n} rows", hint=hint, code=code or "target_not_finite")
    return values


def _weights(spec: ModelSpec, table: Any, train: Any) -> Any:
    if spec.data.weight is None:
        return None
    what = f"the weight column {spec.data.weight!r}"
    hint = "Weights are numbers of 0 or more, and not all 0."
    weights = _numbers(table[spec.data.weight], what, hint, "weight_invalid")
    if (weights < 0).any() or not weights[train].any():
        problem = "has negative values" if (weights < 0).any() else "is 0 in every training row"
        raise UserError(f"{what} {problem}", hint=hint, code="weight_invalid")
    return weights
