"""A fitted pipeline -> ONNX bytes, kept only when onnxruntime agrees with scikit-learn on every row of the test set and
on rows that a caller may send besides (`bot.train.probes`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bot.errors import UserError
from bot.specs.frame import frame, frame_names, is_text
from bot.specs.onnx_session import checked_model, session
from bot.specs.outputs import Outputs, graph_names, onnx_feed, onnx_outputs, positions
from bot.train.fit import predict
from bot.train.inputs import Inputs
from bot.train.prepare import Prepared
from bot.train.probes import LIMITS, Probe, large, largest_known, probes

TOLERANCE = 1e-4  # float32 arithmetic on probabilities; a flipped label fails whatever the difference
RELATIVE_TOLERANCE = 1e-5  # of the spread of a regression's predictions
_BATCH = 20_000


@dataclass(frozen=True)
class Export:
    """`data` and `limit` are None unless `status` is passed; `detail` is a sentence. `limit` is the largest size of a
    number up to which the two agree.
    """

    status: Literal["passed", "failed", "not_tried"]
    detail: str
    data: bytes | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Pair:
    """The fitted pipeline and the session made from it, asked the same."""

    pipeline: Any
    opened: Any
    prepared: Prepared
    threshold: float | None
    spread: float  # of a regression's predictions for the test rows; 0 for classes

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The labels, None for a regression."""
        return self.prepared.target.classes

    def sklearn(self, framed: Any) -> Outputs:
        """What the evaluated artifact answers."""
        return predict(self.pipeline, framed, len(self.classes or ()))

    def onnx(self, framed: Any) -> Outputs:
        """What onnxruntime answers."""
        return _run(self.opened, self.prepared.inputs, framed, self.classes)

    def disagreement(self, asked: Sequence[Probe]) -> str:
        """The first question that the two answer differently, with how; empty when there is none."""
        import pyarrow as pa

        framed = [frame(one.table, self.prepared.inputs.columns) for one in asked]
        try:  # all at once is many times faster, where no question is refused
            whole = pa.concat_tables(framed) if framed else None
            answers = [] if whole is None else _cut((self.sklearn(whole), self.onnx(whole)), framed)
        except Exception:  # which question it was shows one by one
            answers = [None] * len(framed)
        for one, rows, answer in zip(asked, framed, answers, strict=True):
            problem = self._one(rows) if answer is None else self._differ(*answer)
            if problem:
                return f"{one.question}: {problem}"
        return ""

    def _one(self, framed: Any) -> str:
        try:
            expected = self.sklearn(framed)
        except UserError:
            expected = None
        try:
            found = self.onnx(framed)
        except Exception as error:
            return "" if expected is None else f"onnxruntime refuses what scikit-learn answers ({_reason(error)})"
        return "scikit-learn refuses what onnxruntime answers" if expected is None else self._differ(expected, found)

    def _differ(self, expected: Outputs, found: Outputs) -> str:
        if not _is_finite(expected) and not _is_finite(found):
            return ""  # the server refuses both
        return disagreement(expected, found, self.classes, self.threshold, self.spread)


def export(pipeline: Any, prepared: Prepared, expected: Outputs, threshold: float | None) -> Export:
    """Convert, run all test rows and the probes, and compare with scikit-learn's answers; `expected` are those on the
    test rows.
    """
    framed, classes = prepared.test_framed, prepared.target.classes
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the converter's own deprecations; what counts is whether the bytes agree
            data = _converted(pipeline, prepared.inputs)
    except Exception as error:  # converters raise anything; the reason goes into the record
        return Export("failed", f"it does not convert: {_reason(error)}")
    try:
        checked_model(data)
    except UserError as error:
        return Export("failed", error.message)
    spread = float(np.std(expected.predicted)) if classes is None else 0.0
    pair = Pair(pipeline, session(data, 1), prepared, threshold, spread)
    try:
        found = pair.onnx(framed)
    except Exception as error:
        return Export("failed", f"onnxruntime does not run it: {_reason(error)}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of overflow, which is what is asked for
        problem = disagreement(expected, found, classes, threshold, spread) or pair.disagreement(list(probes(prepared)))
        limit = None if problem else _limit(pair)
    known = largest_known(prepared)
    if problem or limit is None:
        return Export("failed", problem or f"it differs on the largest numbers it was fitted on, {known:.3g}")
    largest = _largest(expected, found)
    detail = f"agrees on {framed.num_rows} test rows: {largest:.1e} at most; and on what may be sent besides"
    return Export("passed", detail, data, limit)


def _limit(pair: Pair) -> float | None:
    """The largest size of a number up to which the two agree; None when it is below what training saw."""
    for size in LIMITS:
        if size < largest_known(pair.prepared):
            return None
        if not pair.disagreement(list(large(pair.prepared, size))):
            return size
    known = largest_known(pair.prepared)
    return None if pair.disagreement(list(large(pair.prepared, known))) else known


def _cut(answers: Iterable[Outputs], parts: Sequence[Any]) -> list[Any]:
    """Pairs of outputs, one for each part of the rows."""
    ends = np.cumsum([part.num_rows for part in parts])[:-1]
    cut = []
    for outputs in answers:
        predicted, probabilities = (
            [None] * len(parts) if one is None else np.split(np.asarray(one), ends)
            for one in (outputs.predicted, outputs.probabilities)
        )
        cut.append([Outputs(one, other) for one, other in zip(predicted, probabilities, strict=True)])
    return list(zip(*cut, strict=True))


def _is_finite(outputs: Outputs) -> bool:
    numbers = outputs.predicted if outputs.probabilities is None else outputs.probabilities
    return bool(np.isfinite(np.asarray(numbers, dtype=np.float64)).all())


def disagreement(
    expected: Outputs, found: Outputs, classes: tuple[str, ...] | None, threshold: float | None, spread: float
) -> str:
    """Why two sets of predictions do not agree, empty when they do; `spread` is the scale of a regression's."""
    largest = _largest(expected, found)
    if np.isnan(largest):
        return "one of the two has no finite answer"
    if classes is None:
        allowed = RELATIVE_TOLERANCE * max(1e-12, spread, float(np.abs(expected.predicted).max(initial=0.0)))
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
    """The graph, whose inputs are numbered. Converters name each column of the frame by its input, so the pipeline is
    told the numbered names first and the columns' own again afterwards.
    """
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    names = graph_names(inputs.columns, are_numbered=True)
    types = [
        (names[name], StringTensorType([None, 1]) if is_text(column) else FloatTensorType([None, 1]))
        for column in inputs.columns
        for name in frame_names(column)
    ]
    last = pipeline.steps[-1][1]
    with _renamed(pipeline, names):
        model = _graph(pipeline, types)
    if hasattr(last, "classes_") and not hasattr(last, "predict_proba"):
        del model.graph.output[1:]  # decision values, which are no probabilities
    model.graph.name = "mlbot"  # skl2onnx draws a random one
    converted: bytes = model.SerializeToString(deterministic=True)
    return converted


def _graph(pipeline: Any, types: Any) -> Any:
    """Converted without a list of mappings of the probabilities, where the estimator's converter would make one."""
    from skl2onnx import convert_sklearn

    last = pipeline.steps[-1][1]
    settings: dict[str, Any] = {"initial_types": types, "target_opset": {"": 18, "ai.onnx.ml": 3}}
    if not hasattr(last, "classes_"):
        return convert_sklearn(pipeline, **settings)
    try:
        return convert_sklearn(pipeline, options={id(last): {"zipmap": False}}, **settings)
    except Exception as error:  # a converter that makes none does not know the option
        if "zipmap" not in str(error):
            raise
        return convert_sklearn(pipeline, **settings)


@contextmanager
def _renamed(pipeline: Any, names: Mapping[str, str]) -> Iterator[None]:
    prepare = pipeline.steps[0][1]
    own = prepare.transformers_

    def numbered(of: Any) -> Any:
        return names[of] if isinstance(of, str) else [names.get(one, one) for one in of]

    prepare.transformers_ = [(name, step, numbered(of)) for name, step, of in own]
    try:
        yield
    finally:
        prepare.transformers_ = own


def _run(opened: Any, inputs: Inputs, framed: Any, classes: tuple[str, ...] | None) -> Outputs:
    wanted = {node.name for node in opened.get_inputs()}
    names = graph_names(inputs.columns, are_numbered=True)
    parts: list[list[Any]] = []
    for start in range(0, framed.num_rows, _BATCH):
        feed = onnx_feed(framed.slice(start, _BATCH), inputs.columns, names)
        parts.append(opened.run(None, {name: value for name, value in feed.items() if name in wanted}))
    return onnx_outputs([np.concatenate(pieces) for pieces in zip(*parts, strict=True)], classes)


def _reason(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
