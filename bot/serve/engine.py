"""One loaded release: columns in, predictions out; straight into onnxruntime where nothing has to be derived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bot.ports import Predictor
from bot.records.release import Release
from bot.records.training import InputColumn, Training
from bot.serve.protocol import RequestError, metadata
from bot.serve.tensors import Column
from bot.specs.outputs import Outputs, labels, onnx_outputs


@dataclass(frozen=True)
class Engine:
    """What answers for one model. `kind` is `onnx` or `skops`."""

    release: Release
    training: Training
    predictor: Predictor
    kind: str
    sensitive: frozenset[str] = frozenset()
    quick: tuple[InputColumn, ...] = field(init=False)

    def __post_init__(self) -> None:
        columns = self.training.columns
        plain = all(column.kind in ("numeric", "categorical", "text") for column in columns)
        session = getattr(self.predictor, "session", None)
        fed = {node.name for node in session.get_inputs()} if session is not None and plain else set()
        object.__setattr__(self, "quick", tuple(column for column in columns if column.name in fed))

    def metadata(self) -> dict[str, Any]:
        """Name, version, digest, inputs and outputs."""
        release = self.release
        return metadata(self.training, release.version, [release.version], release.artifact_digest)

    def predict(self, columns: Mapping[str, Column]) -> tuple[Any, Any]:
        """(labels as text or float64 (n,), probabilities float64 (n, k) or None). RequestError on a wrong type."""
        if self.quick:
            return self._quickly(columns)
        table = arrow_table(columns, self.training)
        if self.training.classes is None:
            return self.predictor.predict(table), None
        probabilities = self.predictor.probabilities(table)
        if probabilities is None:
            return self.predictor.predict(table), None
        return labels(Outputs(None, probabilities), self.training.classes, self.training.threshold), probabilities

    def _quickly(self, columns: Mapping[str, Column]) -> tuple[Any, Any]:
        session = self.predictor.session  # type: ignore[attr-defined]
        feed = {column.name: quick_tensor(columns[column.name], column) for column in self.quick}
        outputs = onnx_outputs(session.run(None, feed), self.training.classes)
        found = labels(outputs, self.training.classes, self.training.threshold)
        return found, outputs.probabilities


def quick_tensor(values: Column, column: InputColumn) -> Any:
    """What `frame` and `onnx_feed` make of one numeric, categorical or text column, without Arrow in between."""
    if column.kind == "numeric":
        try:
            numbers = np.array(values, dtype=np.float64)
        except (ValueError, TypeError):
            raise RequestError(400, f"the input {column.name!r} must be numbers") from None
        if not np.isfinite(numbers).all():
            numbers[~np.isfinite(numbers)] = np.nan
        return numbers.astype(np.float32).reshape(-1, 1)
    if not all(type(value) is str for value in values):
        values = [_text(value) for value in (values.tolist() if isinstance(values, np.ndarray) else values)]
    return np.array(values, dtype=object).reshape(-1, 1)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def arrow_table(columns: Mapping[str, Column], training: Training) -> Any:
    """The pyarrow.Table of a request, in the types that training read. Raises RequestError (400)."""
    import pyarrow as pa

    types = {column.name: column for column in training.columns}
    arrays = {}
    for name in training.inputs:
        column = types.get(name)
        try:
            arrays[name] = _array(columns[name], None if column is None else column)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ValueError, OverflowError) as error:
            raise RequestError(400, f"the input {name!r}: {str(error).splitlines()[0]}") from None
    return pa.table(arrays)


def _array(values: Column, column: InputColumn | None) -> Any:
    import pyarrow as pa

    found = pa.array(values)
    if column is not None and column.kind == "datetime" and pa.types.is_string(found.type):
        return found.cast(pa.timestamp("us"))  # ISO 8601
    if column is None or pa.types.is_null(found.type):
        return found.cast(pa.string() if column is not None and column.type == "string" else pa.float64())
    return found
