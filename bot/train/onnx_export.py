"""A fitted pipeline -> ONNX bytes, kept only when onnxruntime agrees with scikit-learn on every row of the test set."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bot.errors import UserError
from bot.specs.frame import frame_names, is_text
from bot.specs.onnx_session import checked_model, session
from bot.specs.outputs import Outputs, onnx_feed, onnx_outputs, positions
from bot.train.inputs import Inputs

TOLERANCE = 1e-4  # float32 arithmetic on probabilities; a flipped label fails whatever the difference
RELATIVE_TOLERANCE = 1e-5  # of the spread of a regression's predictions
_BATCH = 20_000


@dataclass(frozen=True)
class Export:
    """`data` is None unless `status` is passed; `detail` is a sentence."""

    status: Literal["passed", "failed"]
    detail: str
    data: bytes | None = None


def export(
    pipeline: Any,
    inputs: Inputs,
    framed: Any,
    expected: Outputs,
    classes: tuple[str, ...] | None,
    threshold: float | None,
) -> Export:
    """Convert, run all rows of `framed` (the test rows) and compare with scikit-learn's `expected`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the converter's own deprecations; what counts is whether the bytes agree
            data = _converted(pipeline, inputs)
    except Exception as error:  # converters raise anything; the reason goes into the record
        return Export("failed", f"it does not convert: {_reason(error)}")
    try:
        checked_model(data)
    except UserError as error:
        return Export("failed", error.message)
    try:
        found = _run(data, inputs, framed, classes)
    except Exception as error:
        return Export("failed", f"onnxruntime does not run it: {_reason(error)}")
    problem = disagreement(expected, found, classes, threshold)
    if problem:
        return Export("failed", problem)
    return Export("passed", f"agrees on {framed.num_rows} test rows: {_largest(expected, found):.1e} at most", data)


def disagreement(expected: Outputs, found: Outputs, classes: tuple[str, ...] | None, threshold: float | None) -> str:
    """Why two sets of predictions do not agree, empty when they do."""
    largest = _largest(expected, found)
    if classes is None:
        allowed = RELATIVE_TOLERANCE * max(1e-12, float(np.std(expected.predicted)))
        allowed = max(allowed, 1e-5 * float(np.abs(expected.predicted).max(initial=0.0)))
        return "" if largest <= allowed else f"predictions differ by up to {largest:.2e}, more than {allowed:.1e}"
    flips = int((positions(expected, threshold) != positions(found, threshold)).sum())
    n = len(positions(expected, threshold))
    if flips:
        return f"{flips} of {n} labels flip, probabilities differ by up to {largest:.2e}"
    return "" if largest <= TOLERANCE else f"probabilities differ by up to {largest:.2e}, more than {TOLERANCE:.0e}"


def _largest(expected: Outputs, found: Outputs) -> float:
    one = expected.predicted if expected.probabilities is None else expected.probabilities
    other = found.predicted if expected.probabilities is None else found.probabilities
    if one is None or other is None or np.size(one) == 0:
        return 0.0
    return float(np.max(np.abs(np.reshape(one, -1).astype(float) - np.reshape(other, -1).astype(float))))


def _converted(pipeline: Any, inputs: Inputs) -> bytes:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    types = [
        (name, StringTensorType([None, 1]) if is_text(column) else FloatTensorType([None, 1]))
        for column in inputs.columns
        for name in frame_names(column)
    ]
    last = pipeline.steps[-1][1]
    options = {id(last): {"zipmap": False}} if hasattr(last, "predict_proba") else None
    model = convert_sklearn(pipeline, initial_types=types, options=options, target_opset={"": 18, "ai.onnx.ml": 3})
    model.graph.name = "mlbot"  # skl2onnx draws a random one
    converted: bytes = model.SerializeToString(deterministic=True)
    return converted


def _run(data: bytes, inputs: Inputs, framed: Any, classes: tuple[str, ...] | None) -> Outputs:
    opened = session(data, 1)
    wanted = {node.name for node in opened.get_inputs()}
    parts: list[list[Any]] = []
    for start in range(0, framed.num_rows, _BATCH):
        feed = onnx_feed(framed.slice(start, _BATCH), inputs.columns)
        parts.append(opened.run(None, {name: value for name, value in feed.items() if name in wanted}))
    return onnx_outputs([np.concatenate(pieces) for pieces in zip(*parts, strict=True)], classes)


def _reason(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
