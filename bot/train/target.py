"""The target and weight columns -> arrays for fitting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.specs.model import ModelSpec
from bot.specs.validation import did_you_mean


@dataclass(frozen=True)
class Target:
    """`values`: positions in `classes`, int64 (n,), or float64 (n,) for a regression, where `classes` is None.
    `weights`: float64 (n,), None when every row counts the same. What folds keep together: `groups`, int codes (n,),
    and `moments`, ranks (n,) that rows of one time share; None where the spec names none.
    """

    values: Any
    classes: tuple[str, ...] | None
    weights: Any
    groups: Any = None
    moments: Any = None

    def at(self, rows: Any) -> Target:
        """The rows of a mask or of positions."""
        weights, groups, moments = (
            None if one is None else one[rows] for one in (self.weights, self.groups, self.moments)
        )
        return Target(self.values[rows], self.classes, weights, groups, moments)


def read_target(spec: ModelSpec, table: Any, train: Any) -> Target:
    """The target of all rows; the classes are those of the training rows, sorted, the positive one last.

    Raises UserError when the training rows have one class, a binary target has more than two, a test row has a class
    that training never saw, or numbers are not finite.
    """
    weights = _weights(spec, table, train)
    column = table[spec.data.target]
    if spec.task == "regression":
        hint = "Write `task: binary` or `task: multiclass` for classes."
        values, classes = _numbers(column, f"the target {spec.data.target!r}", hint), None
        _check_logarithm(spec, values)
    else:
        values, classes = _codes(spec, column, train)
        check_labels(spec, classes)
    return Target(values, classes, weights)


def _check_logarithm(spec: ModelSpec, values: Any) -> None:
    n = int((values <= -1).sum())
    if spec.estimator.transform_target == "log1p" and n:
        raise UserError(
            f"the target {spec.data.target!r} is -1 or less in {n} rows, where `log1p` has no value",
            hint="Remove `transform_target`, or filter these rows out with `data.where`.",
            place=spec.place("estimator.transform_target"),
            code="target_not_finite",
        )


def check_labels(spec: ModelSpec, classes: Sequence[str]) -> None:
    """Raises UserError (code `label_unknown`) when a cost table or the class weights name a label that is no class."""
    weights = spec.estimator.class_weight
    named = [("estimator.class_weight", label) for label in (weights if isinstance(weights, dict) else ())]
    for true, costs in (spec.metrics.cost or {}).items():
        named += [("metrics.cost", true), *((f"metrics.cost.{true}", found) for found in costs)]
    for key, label in named:
        if label not in classes:
            raise UserError(
                f"`{key}`: there is no class {label!r} of {spec.data.target!r}",
                hint=did_you_mean(label, classes, noun="classes"),
                place=spec.place(key),
                code="label_unknown",
            )


def with_together(target: Target, spec: ModelSpec, table: Any) -> Target:
    """With what folds keep together; `table` holds the target's rows."""
    moments = _moments(table, spec.data.time if spec.split_method == "time" else None)
    return replace(target, groups=_group_codes(table, spec.data.group), moments=moments)


def _group_codes(table: Any, column: str | None) -> Any:
    if column is None:
        return None
    encoded = table[column].combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False)


def _moments(table: Any, column: str | None) -> Any:
    import pyarrow.compute as pc

    return None if column is None else np.asarray(pc.rank(table[column].combine_chunks(), tiebreaker="dense"))


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
