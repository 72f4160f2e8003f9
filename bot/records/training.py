"""What training did: the artifact with its digests, the inputs kept, and what it took."""

from __future__ import annotations

from typing import Any, Literal

from bot.records.base import Part, Record
from bot.records.plan import DataFile

Task = Literal["binary", "multiclass", "regression"]


class ArtifactFile(Part):
    """A file of the artifact folder: name without folders, `sha256:<hex>`, size in bytes."""

    name: str
    sha256: str
    size: int


class DroppedInput(Part):
    """A source column that was not kept, and why (constant, duplicate, redundant, uninformative, leaking, id_like)."""

    column: str
    reason: str
    detail: str = ""


class SelectionPoint(Part):
    """One size on the selection curve: cross-validated score with its standard error, in the search's scoring."""

    n_inputs: int
    score: float
    standard_error: float
    chosen: bool = False


class InputColumn(Part):
    """How a source column becomes columns of the pipeline's table (`bot.specs.frame`).

    `type` is the Arrow type that training read. A `source` is read by expressions only; a `derived` column is the
    number that `expression` gives and is not a column of the data. `parts`, `cyclic` and `zone` belong to `datetime`:
    the parts are those of the clock in that zone, of UTC when it is None. `prefix` begins the names of the parts, None
    for the column's own name.
    """

    name: str
    kind: Literal["numeric", "categorical", "text", "datetime", "source", "derived"]
    type: str = "double"
    parts: tuple[str, ...] = ()
    cyclic: bool = False
    zone: str | None = None
    prefix: str | None = None
    expression: str | None = None


class ColumnSignature(Part):
    """What a source column holds, and as what it is read (`bot.specs.signature`).

    `type` is the Arrow type that the pipeline reads, `unit` and `zone` those of timestamps in the data (None without).
    `is_category`: the values only name things, so that they are compared as they are written.
    `categories` are those of the training rows, None when they are many, sensitive or none. `datatype` is the Open
    Inference Protocol's type to ask callers for, `example` a value in JSON.
    """

    name: str
    kind: Literal["number", "integer", "boolean", "text", "category", "date", "time", "timestamp", "decimal"] = "number"
    type: str = "double"
    unit: str | None = None
    zone: str | None = None
    is_category: bool = False
    categories: tuple[str, ...] | None = None
    datatype: str = "FP64"
    example: str = "2.5"


class TableSignature(Part):
    """How every value of a model's inputs is read. `missing` are the spellings of a missing value in text."""

    missing: tuple[str, ...]
    columns: tuple[ColumnSignature, ...]


class Seconds(Part):
    """Wall seconds by phase."""

    read: float
    select: float
    search: float
    fit: float
    export: float


class Machine(Part):
    """Where it ran: enough to explain a difference in the last digits."""

    architecture: str
    cpu: str
    python: str
    threads: int
    blas: str
    packages: dict[str, str]


class Training(Record):
    """One trained model. `artifact_digest` is the SHA-256 of `model.skops`; `test_rows_digest` that of test row ids.

    `classes` are the labels in the order of the probability columns, None for a regression. `threshold` is the
    decision threshold of a binary model on the probability of `classes[1]`, None elsewhere. `inputs` are the source
    columns that a prediction needs; `columns` say how the pipeline reads them, `signature` how their values are read
    (None in older records, where the columns' types say it). `onnx_limit` is the largest size of a number up to which
    the ONNX model was seen to agree, None in older records.
    """

    schema_version: Literal[1] = 1
    model: str
    task: Task
    inputs_digest: str
    artifact_digest: str
    files: tuple[ArtifactFile, ...]
    data_files: tuple[DataFile, ...]
    target: str
    classes: tuple[str, ...] | None
    threshold: float | None
    n_train: int
    n_test: int
    test_rows_digest: str
    inputs: tuple[str, ...]
    columns: tuple[InputColumn, ...] = ()
    signature: TableSignature | None = None
    dropped: tuple[DroppedInput, ...]
    selection_method: str
    selection_curve: tuple[SelectionPoint, ...]
    estimator: str
    parameters: dict[str, Any]
    trials: int
    scoring: str
    onnx: Literal["passed", "failed", "not_tried"]
    onnx_detail: str
    onnx_limit: float | None = None
    warnings: tuple[str, ...]
    seconds: Seconds
    peak_memory_bytes: int
    machine: Machine


class Golden(Record):
    """`golden.json`: a fixed set of test rows with what the artifact says about them, to check it wherever it is live.

    `rows` are the source columns as JSON (dates as ISO text, None when missing). `predictions` are labels or numbers,
    `probabilities` in the order of `classes`, None for a regression or an estimator without.
    """

    schema_version: Literal[1] = 1
    model: str
    artifact_digest: str
    classes: tuple[str, ...] | None
    rows: tuple[dict[str, Any], ...]
    predictions: tuple[str | float, ...]
    probabilities: tuple[tuple[float, ...], ...] | None
