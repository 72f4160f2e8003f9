"""Small real artifacts: a fitted pipeline as skops, ONNX where it converts, with golden predictions."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bot.records.training import ArtifactFile, Golden, InputColumn, Training
from bot.specs.outputs import Outputs, labels
from tests.builders import a_digest, a_training

COLUMNS = (
    InputColumn(name="age", kind="numeric"),
    InputColumn(name="income", kind="numeric"),
    InputColumn(name="country", kind="categorical", type="string"),
)


def a_table(n: int = 400, seed: int = 0) -> pa.Table:
    """Customers: two numbers with missing values and a country."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(18, 80, n).round(0)
    age[rng.random(n) < 0.05] = np.nan
    return pa.table({
        "age": age,
        "income": rng.lognormal(10, 0.5, n).round(2),
        "country": rng.choice(["DE", "ES", "FR"], n),
    })  # fmt: skip


def an_artifact(
    model: str = "churn", *, shift: float = 0.0, regression: bool = False, onnx: bool = True
) -> dict[str, Any]:
    """Files of an artifact folder by name, and `training`. `shift` makes another model of the same shape."""
    from bot.train.canonical import canonical_skops

    table, target = a_table(), _target(shift, regression=regression)
    pipeline = _pipeline(regression=regression)
    pipeline.fit(table, target)
    files: dict[str, bytes] = {"model.skops": canonical_skops(pipeline)}
    if onnx:
        files["model.onnx"] = _onnx(pipeline, regression=regression)
    digest = _sha(files["model.skops"])
    classes = None if regression else ("no", "yes")
    threshold = None if regression else 0.41
    rows = table.slice(0, 20)
    outputs = Outputs(pipeline.predict(rows), None) if regression else Outputs(None, pipeline.predict_proba(rows))
    golden = Golden(
        model=model,
        artifact_digest=digest,
        classes=classes,
        rows=tuple({k: None if v != v else v for k, v in row.items()} for row in rows.to_pylist()),
        predictions=tuple(labels(outputs, classes, threshold).tolist()),
        probabilities=None if regression else tuple(map(tuple, outputs.probabilities.tolist())),
    )
    files["golden.json"] = golden.canonical()
    training = a_training(
        model,
        task="regression" if regression else "binary",
        classes=classes,
        threshold=threshold,
        inputs=("age", "income", "country"),
        columns=COLUMNS,
        dropped=(),
        artifact_digest=digest,
        inputs_digest=a_digest(model, shift),
        onnx="passed" if onnx else "not_tried",
        files=tuple(ArtifactFile(name=name, sha256=_sha(data), size=len(data)) for name, data in files.items()),
    )
    return {"files": files, "training": training}


def write(folder: Path, artifact: dict[str, Any]) -> Training:
    """The artifact as a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in artifact["files"].items():
        (folder / name).write_bytes(data)
    training: Training = artifact["training"]
    return training


def _target(shift: float, *, regression: bool) -> Any:
    table = a_table()
    score = np.nan_to_num(table["age"].to_numpy(), nan=40) / 40 + (table["country"].to_numpy() == "DE") + shift
    if regression:
        return score * 10
    return (score + np.random.default_rng(1).normal(0, 0.3, len(score)) > 1.4).astype(int)


def _pipeline(*, regression: bool) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer([
        ("numbers", numbers, ["age", "income"]),
        ("words", OneHotEncoder(handle_unknown="ignore"), ["country"]),
    ])  # fmt: skip
    return Pipeline([("columns", columns), ("estimator", Ridge() if regression else LogisticRegression())])


def _onnx(pipeline: Any, *, regression: bool) -> bytes:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    types = [
        (one.name, (StringTensorType if one.kind == "categorical" else FloatTensorType)([None, 1])) for one in COLUMNS
    ]
    options = None if regression else {id(pipeline.steps[-1][1]): {"zipmap": False}}
    data: bytes = convert_sklearn(pipeline, initial_types=types, options=options).SerializeToString()
    return data


def _sha(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
