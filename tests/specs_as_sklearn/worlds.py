"""Small tables with every role of a column, and the training of a spec on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from bot.adapters.predictor import load
from bot.records.training import Training
from bot.specs.model import ModelSpec, read_model_spec
from bot.specs.split import split_rows
from tests.train.small import trained

MISSING = 0.1


def table(seed: int, *, missing: bool, n: int = 240) -> pa.Table:
    """Groups of six rows that live for a while, three rows a moment."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=n), rng.normal(size=n)
    gone = rng.random(n) < MISSING if missing else np.zeros(n, bool)
    return pa.table(
        {
            "id": np.arange(n),
            "day": np.arange(n) // 3,
            "who": np.arange(n) // 12 * 3 + rng.integers(0, 3, n),
            "a": pa.array(a, mask=gone),
            "b": b,
            "c": rng.choice(["p", "q", "r"], n),
            "w": rng.integers(1, 4, n).astype(float),
            "kind": np.where(a + 0.5 * b + rng.normal(size=n) > 0, "b", "a"),
            "size": 3 + a - b + 0.1 * rng.normal(size=n),
        }
    )


def a_spec(**keys: Any) -> ModelSpec:
    """A binary spec on `table`, with keys of the top level put in (`data` is merged)."""
    spec: dict[str, Any] = {
        "task": "binary",
        "owner": "owen",
        "description": "A test.",
        "data": {"path": "data/rows.parquet", "target": "kind", "row_id": "id", **keys.pop("data", {})},
        "features": {"numeric": ["a", "b"]},
        "estimator": "LogisticRegression",
        "metrics": "log_loss",
        "onnx": False,
        "resources": {"jobs": 1},
    }
    text = yaml.safe_dump({**spec, **keys}, sort_keys=False)
    return read_model_spec(text.encode(), "models/small/model.yaml")


def asked(folder: Path, spec: ModelSpec, rows: Any) -> tuple[Training, Any]:
    """The Training, and what the artifact says of the test rows: probabilities (n, k), or values (n,)."""
    training, out = trained(folder, spec, rows)
    _, test = split_rows(spec, rows)
    predictor = load(out, training, prefer="skops")
    seen = rows.filter(pa.array(test))
    return training, predictor.predict(seen) if spec.task == "regression" else predictor.probabilities(seen)


def arrays(spec: ModelSpec, rows: Any, columns: tuple[str, ...] = ("a", "b")) -> dict[str, Any]:
    """x, y, weights, groups and moments of the training rows, and x of the test rows."""
    train, test = split_rows(spec, rows)
    x = np.column_stack([rows[name].to_numpy(zero_copy_only=False) for name in columns]).astype(float)
    y = np.array(rows["size"]) if spec.task == "regression" else (np.array(rows["kind"]) == "b").astype(int)
    data = spec.data
    return {
        "x": x[train],
        "y": y[train],
        "seen": x[test],
        "weights": np.array(rows["w"])[train] if data.weight else None,
        "groups": numbered(np.array(rows["who"])[train]) if data.group else None,
        "moments": np.array(rows["day"])[train] if spec.split_method == "time" else None,
    }


def numbered(values: Any) -> Any:
    """Groups numbered as they first appear: scikit-learn shuffles them in the order of their numbers."""
    names = {name: number for number, name in enumerate(dict.fromkeys(values.tolist()))}
    return np.array([names[value] for value in values.tolist()])
