"""What a fitted pipeline or an ONNX session gives -> labels and probabilities, the same way in training and serving.

The pipeline is fitted on the positions of the labels in `classes`, so that its columns of probabilities are in their
order, and onnxruntime returns whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.records.training import InputColumn
from bot.specs.frame import frame_names, is_text


@dataclass(frozen=True)
class Outputs:
    """`predicted`: positions of classes (n,), or float64 (n,) for a regression; None when `probabilities` say it.
    `probabilities`: float64 (n, n_classes), None for a regression or an estimator that has none.
    """

    predicted: Any
    probabilities: Any


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


def onnx_feed(framed: Any, columns: Sequence[InputColumn]) -> dict[str, Any]:
    """One (n, 1) tensor for each column of the frame: text as objects, numbers as float32."""
    feed: dict[str, Any] = {}
    for column in columns:
        for name in frame_names(column):
            values = framed.column(name).to_numpy()
            feed[name] = (values if is_text(column) else values.astype(np.float32)).reshape(-1, 1)
    return feed


def onnx_outputs(tensors: Sequence[Any], classes: Sequence[str] | None) -> Outputs:
    """Outputs from what onnxruntime returns: (values) for a regression, (positions, probabilities) for classes."""
    if classes is None or len(tensors) == 1:
        return Outputs(tensors[0], None)
    return Outputs(tensors[0], np.asarray(tensors[1], dtype=np.float64))
