"""Trains every model of `models/`, and one that uses all that training can do, on a part of the rows, and writes what
they predict: `python tests/arm64/fit.py OUT DATA`, where DATA holds `data/`.

Run on two architectures, the two folders are compared by `tests/arm64/compare.py`. The searches of `models/` and ONNX
are left out: an emulated CPU is 10 to 50 times slower, and onnxruntime takes the host's /sys for its own.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

N_ROWS = 2_000
N_SAID = 300  # rows whose predictions are written

EVERYTHING = b"""
task: binary
owner: owen
description: Selection, search, calibration, a tuned threshold and every kind of preparation.
positive: late
data: {path: data/flights, target: outcome, row_id: flight_id}
features:
  auto: true
  exclude: [dest]
  numeric: [{columns: [temp, dewp], splines: 4}, {columns: [distance], scale: robust, indicator: true}]
  categorical: [{columns: [carrier], encode: target}]
  derived: {gap: temp - dewp}
selection: {method: one_standard_error, path: thorough, folds: 3}
estimator:
  {name: LogisticRegression, parameters: {solver: newton-cholesky}, calibration: sigmoid, threshold: {tune: f1}}
search: {method: halving, parameters: {C: [0.01, 0.1, 1]}, folds: 2}
metrics: roc_auc
"""


def specs() -> Iterator[Any]:
    """The specs, without what an emulated CPU cannot do."""
    from bot.specs.model import read_model_spec

    for file in sorted((ROOT / "models").glob("*/model.yaml")):
        yield read_model_spec(file.read_bytes(), f"models/{file.parent.name}/model.yaml").model_copy(
            update={"search": None}
        )
    yield read_model_spec(EVERYTHING, "models/everything/model.yaml")


def fit(out: Path, data: Path) -> None:
    """One folder a model, with the artifact and `predictions.json`."""
    from bot.adapters.predictor import load
    from bot.adapters.workbench import LocalWorkbench
    from bot.train.step import train

    class FirstRows(LocalWorkbench):
        def read(self, spec: Any, columns: Any) -> Any:
            return super().read(spec, columns).slice(0, N_ROWS)

    for spec in specs():
        one = spec.resources.model_copy(update={"jobs": 1, "memory": None})
        spec = spec.model_copy(update={"onnx": False, "resources": one})
        bench = FirstRows(data, out / spec.name)
        training = train(spec, planned(spec, data), bench)
        table = bench.read(spec, training.inputs).slice(0, N_SAID)
        predictor = load(out / spec.name, training)
        probabilities = predictor.probabilities(table)
        said = {
            "predictions": predictor.predict(table).tolist(),
            "probabilities": None if probabilities is None else probabilities.tolist(),
        }
        (out / spec.name / "predictions.json").write_text(json.dumps(said))
        print(training.machine.architecture, spec.name, training.estimator, training.artifact_digest, flush=True)


def planned(spec: Any, data: Path) -> Any:
    """The plan's entry, with the digest of what decides the result."""
    from bot.adapters.tables import data_files
    from bot.plan.digest import inputs_digest
    from bot.plan.step import library_versions
    from bot.records.plan import DataFile, Planned

    files = tuple(
        DataFile(path=file.relative_to(data).as_posix(), md5=hashlib.md5(file.read_bytes()).hexdigest())
        for file in data_files(spec, data)[0]
    )
    return Planned(
        model=spec.name, inputs_digest=inputs_digest(spec, files, None, library_versions(Path())),
        base_inputs_digest=None, reasons=(), data_files=files, runner="", timeout_minutes=1, risk_tier="low",
    )  # fmt: skip


if __name__ == "__main__":
    fit(*map(Path, sys.argv[1:3]))
