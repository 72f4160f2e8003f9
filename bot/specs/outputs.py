"""What a fitted pipeline or an ONNX session gives -> labels and probabilities, the same way in training and serving.

The pipeline is fitted on the positions of the labels in `classes`, so that its columns of probabilities are in their
order, and onnxruntime returns whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.records.training import InputColumn
from bot.specs.frame import frame_names, is_text

FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Outputs:
    """`predicted`: positions of classes (n,), or float64 (n,) for a regression; None when `probabilities` say it.
    `probabilities`: float64 (n, n_classes), None for a regression or an estimator that has none. `decision`: the
    decision values of such a classifier, (n,) or (n, n_classes), where they were asked for.
    """

    predicted: Any
    probabilities: Any
    decision: Any = None


def positions(outputs: Outputs, threshold: float | None) -> Any:
    """Positions of the predicted classes (n,): by the threshold of two classes, else the most probable."""
    if outputs.probabilities is None:
        return np.asarray(outputs.predicted).astype(np.intp).reshape(-1)
    if threshold is not None and outputs.probabilities.shape[1] == 2:
        return (outputs.probabilities[:, 1] >= threshold).astype(np.intp)
    return np.argmax(outputs.probabilities, axis=1)


def labels(outputs: Outputs, classes: Sequence[str] | None, threshold: float | None) -> Any:
    """Labels as text (n,), or float64 (n,) for a regression (`classes` None)."""
    if classes is None:
        return np.asarray(outputs.predicted, dtype=np.float64).reshape(-1)
    return np.array(classes, dtype=str)[positions(outputs, threshold)]


def pipeline_outputs(pipeline: Any, framed: Any) -> Outputs:
    """Outputs of a fitted pipeline; it is run once when it has probabilities."""
    if hasattr(pipeline, "predict_proba"):
        return Outputs(None, np.asarray(pipeline.predict_proba(framed), dtype=np.float64))
    return Outputs(pipeline.predict(framed), None)


def graph_names(columns: Sequence[InputColumn], *, are_numbered: bool) -> dict[str, str]:
    """Name of a column of the frame -> name of the ONNX graph's input. Numbered, whatever the columns are called:
    converters take letters, digits and underscores only; older graphs have the columns' own names.
    """
    names = [name for column in columns for name in frame_names(column)]
    return {name: f"input_{number}" if are_numbered else name for number, name in enumerate(names)}


def onnx_feed(
    framed: Any, columns: Sequence[InputColumn], names: Mapping[str, str], limit: float | None = None
) -> dict[str, Any]:
    """One (n, 1) tensor for each column of the frame, by `graph_names`: text as objects, numbers as float32."""
    feed: dict[str, Any] = {}
    for column in columns:
        for name in frame_names(column):
            values = framed.column(name).to_numpy()
            feed[names[name]] = (values if is_text(column) else narrowed(values, limit)).reshape(-1, 1)
    return feed


def narrowed(values: Any, limit: float | None) -> Any:
    """float64 as float32. Raises UserError (code `number_too_large`) when a number is beyond `limit`, or beyond what
    float32 holds (None): it would be answered as if it were infinite.
    """
    most = min(limit, FLOAT32_MAX) if limit is not None else FLOAT32_MAX
    with np.errstate(invalid="ignore"):
        if (np.abs(values) > most).any():
            raise UserError(
                f"a number is beyond {most:.3g}, up to which this model was tried in ONNX",
                hint="`mlbot serve --runtime skops` takes it.",
                code="number_too_large",
            )
    return values.astype(np.float32)


def onnx_outputs(tensors: Sequence[Any], classes: Sequence[str] | None) -> Outputs:
    """Outputs from what onnxruntime returns: (values) for a regression, (positions, probabilities) for classes."""
    if classes is None or len(tensors) == 1:
        return Outputs(tensors[0], None)
    return Outputs(tensors[0], np.asarray(tensors[1], dtype=np.float64))
