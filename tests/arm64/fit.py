"""Trains every model of `models/` on a part of its rows and writes what it predicts: `python tests/arm64/fit.py OUT`.

Run on two architectures, the two folders are compared by `tests/arm64/compare.py`. Search and ONNX are left out: an
emulated CPU is 10 to 50 times slower, and onnxruntime reads the host's /sys, which it takes for its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

N_ROWS = 2_000


def main(out: Path) -> None:
    """One folder a model, with the artifact and `predictions.json`."""
    from bot.adapters.predictor import load
    from bot.adapters.workbench import LocalWorkbench
    from bot.records.plan import Planned
    from bot.specs.model import read_model_spec
    from bot.train.step import train

    class FirstRows(LocalWorkbench):
        def read(self, spec: Any, columns: Any) -> Any:
            return super().read(spec, columns).slice(0, N_ROWS)

    for folder in sorted((ROOT / "models").iterdir()):
        file = folder / "model.yaml"
        if not file.is_file():
            continue
        spec = read_model_spec(file.read_bytes(), f"models/{folder.name}/model.yaml")
        one = spec.resources.model_copy(update={"jobs": 1})
        spec = spec.model_copy(update={"search": None, "onnx": False, "resources": one})
        planned = Planned(
            model=folder.name, inputs_digest="", base_inputs_digest=None, reasons=(), data_files=(),
            runner="", timeout_minutes=1, risk_tier="low",
        )  # fmt: skip
        bench = FirstRows(ROOT, out / folder.name)
        training = train(spec, planned, bench)
        table = bench.read(spec, training.inputs)
        predictor = load(out / folder.name, training)
        probabilities = predictor.probabilities(table)
        said = {
            "predictions": predictor.predict(table).tolist(),
            "probabilities": None if probabilities is None else probabilities.tolist(),
        }
        (out / folder.name / "predictions.json").write_text(json.dumps(said))
        print(
            f"{training.machine.architecture} {folder.name} {training.estimator} {training.artifact_digest}", flush=True
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
