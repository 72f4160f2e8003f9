"""A pyarrow.Table of test rows, and a loaded model's answers, as the arrays that evaluation works on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import UserError
from bot.evaluate.rows import Codes, Floats, Rows, Scores
from bot.ports import Predictor
from bot.records.training import Training
from bot.specs.model import ModelSpec
from bot.specs.outputs import Outputs, positions


def rows_of(
    spec: ModelSpec, training: Training, table: Any, slices: Mapping[str, NDArray[np.str_]], *, stratified: bool = False
) -> Rows:
    """The labelled rows of a table. Raises UserError when a target is not one of the model's classes."""
    target = table[spec.data.target]
    groups = codes_of(table[spec.data.group]) if spec.data.group else None
    if training.classes is None:
        truth: Any = np.asarray(target.to_numpy(), dtype=np.float64)
        return Rows(training.task, truth, groups=groups, slices=slices, unit=spec.metrics.unit)
    truth = class_codes(texts(target), training.classes)
    if (truth < 0).any():
        unknown = texts(target)[truth < 0][0]
        raise UserError(
            f"the target {spec.data.target} has a class that the model was not trained on: {unknown}",
            hint="Train again, or filter the rows with `data.where`.",
            code="class_unknown",
        )
    return Rows(training.task, truth, training.classes, groups=groups, slices=slices, strata=stratified)


def scores_of(predictor: Predictor, training: Training, table: Any, classes: tuple[str, ...] | None) -> Scores:
    """A model's answers in the order of `classes`, those of the candidate; None for a regression.

    Probability that a deployed model gives to a class which the candidate does not have is lost, and such a prediction
    counts as wrong.
    """
    if classes is None:
        return Scores(_finite(np.asarray(predictor.predict(table), dtype=np.float64), training))
    found, own = predictor.probabilities(table), training.classes or ()
    if found is None:
        return Scores(class_codes(np.asarray(predictor.predict(table)).astype(str), classes))
    _finite(found, training)
    chosen = positions(Outputs(None, found), training.threshold)
    place = class_codes(np.array(own, dtype=str), classes)
    probabilities = np.zeros((len(found), len(classes)))
    for column, position in enumerate(place):
        if position >= 0:
            probabilities[:, position] = found[:, column]
    return Scores(place[chosen], probabilities)


def _finite(values: Floats, training: Training) -> Floats:
    """The values, if all are. Raises UserError (code `predictions_not_finite`)."""
    bad = int((~np.isfinite(values)).any(axis=-1).sum()) if values.ndim > 1 else int((~np.isfinite(values)).sum())
    if bad:
        raise UserError(
            f"{training.model} answers {bad:,} of {len(values):,} test rows with a value that is not finite",
            hint="Look at its inputs: infinite values, or a transformation outside its domain.",
            code="predictions_not_finite",
        )
    return values


def class_codes(labels: NDArray[np.str_], classes: tuple[str, ...]) -> Codes:
    """Positions (n,) of labels in `classes`, -1 for a label that is not among them."""
    names, code = np.unique(labels, return_inverse=True)
    place = {name: number for number, name in enumerate(classes)}
    return np.array([place.get(str(name), -1) for name in names], dtype=np.int64)[code]


def codes_of(column: Any) -> Codes:
    """int64 (n,) one number for each distinct value of a column."""
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def texts(column: Any) -> NDArray[np.str_]:
    """A column as text (n,); missing is `(missing)`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = pc.cast(column, pa.string()).combine_chunks().dictionary_encode()
    names = np.array([*encoded.dictionary.to_pylist(), "(missing)"], dtype=str)
    codes = encoded.indices.fill_null(len(names) - 1).to_numpy(zero_copy_only=False)
    return np.asarray(names[codes.astype(np.int64)])
