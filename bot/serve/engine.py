"""One loaded release: columns in, predictions out; straight into onnxruntime where nothing has to be derived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.ports import Predictor
from bot.records.release import Release
from bot.records.training import ColumnSignature, InputColumn, TableSignature, Training
from bot.serve.protocol import RequestError, metadata
from bot.serve.tensors import Column
from bot.specs.outputs import Outputs, graph_names, labels, narrowed, onnx_outputs
from bot.specs.signature import signature_of
from bot.specs.values import as_column, refusal


@dataclass(frozen=True)
class Quick:
    """An input that goes into onnxruntime without Arrow in between, and its name in the graph."""

    column: InputColumn
    signature: ColumnSignature
    name: str


@dataclass(frozen=True)
class Engine:
    """What answers for one model. `kind` is `onnx` or `skops`."""

    release: Release
    training: Training
    predictor: Predictor
    kind: str
    sensitive: frozenset[str] = frozenset()
    quick: tuple[Quick, ...] = field(init=False)
    unread: tuple[ColumnSignature, ...] = field(init=False)
    signature: TableSignature = field(init=False)

    def __post_init__(self) -> None:
        columns, signature = self.training.columns, signature_of(self.training)
        plain = all(column.kind in ("numeric", "categorical", "text") for column in columns)
        session = getattr(self.predictor, "session", None)
        fed = {node.name for node in session.get_inputs()} if session is not None and plain else set()
        names = graph_names(columns, are_numbered=self.training.signature is not None)
        signed = {column.name: column for column in signature.columns}
        quick = [Quick(one, signed[one.name], names[one.name]) for one in columns if names.get(one.name) in fed]
        object.__setattr__(self, "signature", signature)
        read = {one.column.name for one in quick}
        object.__setattr__(self, "unread", tuple(one for one in signature.columns if one.name not in read))
        object.__setattr__(self, "quick", tuple(quick))

    def metadata(self) -> dict[str, Any]:
        """Name, version, digest, inputs and outputs."""
        release = self.release
        return metadata(self.training, self.signature, release.version, [release.version], release.artifact_digest)

    def predict(self, columns: Mapping[str, Column]) -> tuple[Any, Any]:
        """(labels as text or float64 (n,), probabilities float64 (n, k) or None). RequestError on a wrong type, and
        when a row's answer is no finite number: inputs may be too large for the model's arithmetic.
        """
        try:
            predicted, probabilities = self._answer(columns)
        except UserError as error:
            raise RequestError(400, error.message) from None
        numbers = predicted if probabilities is None else probabilities
        if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
            raise RequestError(400, "the model has no finite answer to these inputs; is a number far out of range?")
        return predicted, probabilities

    def _answer(self, columns: Mapping[str, Column]) -> tuple[Any, Any]:
        if self.quick:
            return self._quickly(columns)
        table = arrow_table(columns, self.signature)
        if self.training.classes is None:
            return self.predictor.predict(table), None
        probabilities = self.predictor.probabilities(table)
        if probabilities is None:
            return self.predictor.predict(table), None
        return labels(Outputs(None, probabilities), self.training.classes, self.training.threshold), probabilities

    def _quickly(self, columns: Mapping[str, Column]) -> tuple[Any, Any]:
        session = self.predictor.session  # type: ignore[attr-defined]
        limit, missing = self.training.onnx_limit, frozenset(self.signature.missing)
        for column in self.unread:  # a wrong value is refused in either runtime
            as_column(columns[column.name], column, self.signature.missing)
        feed = {one.name: quick_tensor(columns[one.column.name], one, missing, limit) for one in self.quick}
        outputs = onnx_outputs(session.run(None, feed), self.training.classes)
        found = labels(outputs, self.training.classes, self.training.threshold)
        return found, outputs.probabilities


def quick_tensor(values: Column, one: Quick, missing: frozenset[str], limit: float | None = None) -> Any:
    """What `frame` and `onnx_feed` make of one numeric, categorical or text column, without Arrow in between.

    Raises UserError (`column_type`, `number_too_large`).
    """
    if one.column.kind == "numeric":
        return narrowed(_numbers(values, one.signature, missing), limit).reshape(-1, 1)
    if one.signature.type == "string" and all(type(value) is str for value in values):
        return np.array(["" if value in missing else value for value in values], dtype=object).reshape(-1, 1)
    return _texts(values, one.signature, missing).reshape(-1, 1)


def _numbers(values: Column, column: ColumnSignature, missing: frozenset[str]) -> Any:
    """float64 (n,); missing and infinite are NaN."""
    is_list = isinstance(values, list)
    if column.kind == "boolean" or (is_list and any(type(value) is str for value in values)):
        numbers = as_column(values, column, tuple(missing)).cast("float64").to_numpy(zero_copy_only=False)
    else:
        try:
            numbers = np.array(values, dtype=np.float64)
        except (ValueError, TypeError, OverflowError):
            raise refusal(column) from None
    if not np.isfinite(numbers).all():
        numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    return numbers


def _texts(values: Column, column: ColumnSignature, missing: frozenset[str]) -> Any:
    """The text of categories as training saw it: a number of another type (2.0 for 2) must not become another word."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.fill_null(as_column(values, column, tuple(missing)).cast(pa.string()), "")
    return found.to_numpy(zero_copy_only=False)


def arrow_table(columns: Mapping[str, Column], signature: TableSignature) -> Any:
    """The pyarrow.Table of a request, as the pipeline was fitted on it. Raises UserError (`column_type`)."""
    import pyarrow as pa

    return pa.table({one.name: as_column(columns[one.name], one, signature.missing) for one in signature.columns})
