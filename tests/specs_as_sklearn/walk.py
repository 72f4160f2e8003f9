"""Every estimator of the written list, from its spec to a served answer, as it is and with odd but allowed parameters:
`python -m tests.specs_as_sklearn.walk [NAME ...]`. Prints a line for each; exit 1 when one ends with anything but an
answer or an error for people.
"""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bot.adapters.predictor import load
from bot.errors import MlbotError
from bot.serve.app import Serving, build
from bot.serve.engine import Engine
from bot.serve.golden import check_golden
from bot.specs.estimators import CLASSIFIERS, REGRESSORS, estimators_for
from tests.serve.asgi import Client
from tests.serve.conftest import a_release
from tests.specs_as_sklearn.worlds import a_spec
from tests.train.small import trained

# Allowed by scikit-learn's constraints, and more than some data bear.
ODD: dict[str, tuple[Any, ...]] = {
    "alphas": ([0.1, 1.0],),
    "algorithm": ("ball_tree",),
    "cv": (2,),
    "hidden_layer_sizes": ([3], ["a"]),
    "kernel": ("precomputed", "poly"),
    "l1_ratio": (0.0, 1.0),
    "loss": ("quantile", "log_loss", "poisson"),
    "max_iter": (1,),
    "metric": ("precomputed", "cosine"),
    "monotonic_cst": ([1, -1], [0]),
    "n_components": (5,),
    "n_estimators": (1,),
    "n_neighbors": (100_000,),
    "power": (1.5, -1),
    "probability": (True,),
    "radius": (0.001,),
    "solver": ("saga", "svd"),
    "strategy": ("constant", "stratified"),
    "weights": ("distance",),
}


def rows(n: int = 160, seed: int = 0) -> pa.Table:
    """Three numbers with missing values, a category, and a target for each task."""
    rng = np.random.default_rng(seed)
    a, b, d = rng.normal(size=(3, n))
    gone = rng.random(n) < 0.1
    size = 3 + a - b + 0.1 * rng.normal(size=n)
    return pa.table(
        {
            "id": np.arange(n),
            "a": pa.array(a, mask=gone),
            "b": b,
            "d": d,
            "c": rng.choice(["p", "q", "r"], n),
            "kind": np.where(size > 3, "b", "a"),
            "level": np.where(size > 4, "high", np.where(size > 2, "middle", "low")),
            "size": size,
        }
    )


def cases(names: list[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(estimator, task, parameters)."""
    from bot.train.estimator import build_estimator

    for name in names or [*CLASSIFIERS, *REGRESSORS]:
        for task in ("binary", "multiclass", "regression"):
            if name not in estimators_for(task):
                continue
            yield name, task, {}
            if task == "multiclass":
                continue
            metric = "mae" if task == "regression" else "accuracy"
            known = build_estimator(a_spec(task=task, estimator=name, metrics=metric), None).get_params()
            yield from ((name, task, {key: value}) for key in sorted(known.keys() & ODD) for value in ODD[key])


def served(name: str, task: str, parameters: dict[str, Any], folder: Path) -> str:
    """What the server says of three rows. Raises MlbotError where the spec cannot be trained."""
    target = {"binary": "kind", "multiclass": "level", "regression": "size"}[task]
    spec = a_spec(
        task=task,
        data={"target": target},
        features={"numeric": ["a", "b", "d"], "categorical": ["c"]},
        estimator={"name": name, "parameters": parameters},
        metrics="mae" if task == "regression" else "accuracy",
    )
    training, out = trained(folder, spec, rows())
    engine = Engine(a_release(training), training, load(out, training, prefer="skops"), "skops")
    check_golden(engine, (out / "golden.json").read_bytes())
    app = build(
        Serving(
            monotonic=time.monotonic,
            engines={training.model: engine},
            expected=frozenset({training.model}),
            started=True,
        )
    )
    sent = {"a": ("FP64", [0.5, None, -1.0]), "b": ("FP64", [1.0, 0.0, 2.0]), "d": ("FP64", [0.0, 1.0, 2.0])}
    sent["c"] = ("BYTES", ["p", "q", None])
    inputs = [{"name": key, "shape": [3], "datatype": kind, "data": data} for key, (kind, data) in sent.items()]
    answer = Client(app).post(f"/v2/models/{training.model}/infer", json={"inputs": inputs})
    if answer.status_code != 200:
        raise AssertionError(f"HTTP {answer.status_code}: {answer.text[:200]}")
    return str(answer.json()["outputs"][0]["data"])


def main(names: list[str]) -> int:
    """Walk, and count what went wrong."""
    warnings.simplefilter("ignore")
    wrong = 0
    for name, task, parameters in cases(names):
        with tempfile.TemporaryDirectory() as folder:
            try:
                said = f"served {served(name, task, parameters, Path(folder))}"
            except MlbotError as error:
                said = f"refused: {error.message[:150]}"
            except Exception:
                wrong += 1
                said = f"WRONG {traceback.format_exc()[-600:]}"
        print(name, task, parameters or "", said, flush=True)
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
