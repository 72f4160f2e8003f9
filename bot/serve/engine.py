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
        """(labels as text or float64 (n,), probabilities float64 (n, k) or None). RequestError on a wrong type, and
        when a row's answer is no finite number: inputs may be too large for the model's arithmetic.
        """
        predicted, probabilities = self._answer(columns)
        numbers = predicted if probabilities is None else probabilities
        if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
            raise RequestError(400, "the model has no finite answer to these inputs; is a number far out of range?")
        return predicted, probabilities

    def _answer(self, columns: Mapping[str, Column]) -> tuple[Any, Any]:
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
        with np.errstate(over="ignore"):  # infinite then: `predict` looks at what comes of it
            return numbers.astype(np.float32).reshape(-1, 1)
    if column.type == "string" and all(type(value) is str for value in values):
        return np.array(values, dtype=object).reshape(-1, 1)
    return _texts(values, column).reshape(-1, 1)


def _texts(values: Column, column: InputColumn) -> Any:
    """The text of categories as training saw it: a number of another type (2.0 for 2) must not become another word."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.fill_null(checked_array(values, column).cast(pa.string()), "")
    return found.to_numpy(zero_copy_only=False)


def arrow_table(columns: Mapping[str, Column], training: Training) -> Any:
    """The pyarrow.Table of a request, in the types that training read. Raises RequestError (400)."""
    import pyarrow as pa

    types = {column.name: column for column in training.columns}
    return pa.table({name: checked_array(columns[name], types.get(name)) for name in training.inputs})


def checked_array(values: Column, column: InputColumn | None) -> Any:
    """A column as Arrow, in the type that training read where another would change its meaning. Raises RequestError."""
    import pyarrow as pa

    try:
        return _array(values, column)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ValueError, OverflowError) as error:
        name = column.name if column is not None else ""
        raise RequestError(400, f"the input {name!r}: {str(error).splitlines()[0]}") from None


def _array(values: Column, column: InputColumn | None) -> Any:
    import pyarrow as pa

    found = pa.array(values)
    if column is None:
        return found
    trained = _trained_type(column.type)
    if column.kind == "datetime" and pa.types.is_string(found.type):
        return found.cast(pa.timestamp("us"))  # ISO 8601
    if pa.types.is_null(found.type):
        return found.cast(trained if trained is not None else pa.float64())
    if column.kind in ("categorical", "text", "source") and trained is not None and found.type != trained:
        return found.cast(trained)
    return found


def _trained_type(name: str) -> Any:
    """The Arrow type of that name; None for types that have no short name (dictionaries, decimals)."""
    import pyarrow as pa

    try:
        return pa.type_for_alias(name)
    except ValueError:
        return None
