"""Small data, specs and trainings for the tests of training."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bot.adapters.workbench import LocalWorkbench
from bot.records.training import Training
from bot.specs.model import ModelSpec, read_model_spec
from bot.train.step import train
from tests.builders import a_planned


def rows(n: int = 240, seed: int = 0) -> pa.Table:
    """Mixed columns with missing values: `signal` and `shop` decide the target, `noise` does not."""
    rng = np.random.default_rng(seed)
    signal, noise = rng.normal(size=n), rng.normal(size=n)
    shop = rng.choice(["north", "south", "east"], n)
    logit = 2 * signal + 1.5 * (shop == "south") + 0.3 * rng.normal(size=n)
    return pa.table(
        {
            "id": np.arange(n),
            "signal": pa.array(np.where(rng.random(n) < 0.1, np.nan, signal), from_pandas=True),
            "noise": noise,
            "shop": pa.array(
                [None if missing else name for name, missing in zip(shop, rng.random(n) < 0.1, strict=True)]
            ),
            "amount": 10 * signal + noise,
            "outcome": np.where(logit > 0.5, "yes", "no"),
            "level": np.where(logit > 1, "high", np.where(logit > -1, "middle", "low")),
        }
    )


SPEC = """
task: binary
owner: owen
description: A test.
data: {path: data/rows.parquet, target: outcome, row_id: id}
features: {numeric: [signal, noise], categorical: [shop]}
estimator: LogisticRegression
metrics: log_loss
"""


def a_spec(text: str = SPEC, **changes: str) -> ModelSpec:
    """A spec; `changes` replace whole top-level lines by their YAML text (empty removes), or add them."""
    lines = [line for line in textwrap.dedent(text).strip().splitlines() if line.split(":")[0] not in changes]
    lines += [f"{key}: {value}" for key, value in changes.items() if value]
    return read_model_spec("\n".join(lines).encode(), "models/small/model.yaml")


def put(folder: Path, table: Any) -> Path:
    """The folder with `data/rows.parquet` in it."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "data/rows.parquet")
    return folder


def trained(folder: Path, spec: ModelSpec | None = None, table: Any = None) -> tuple[Training, Path]:
    """A Training of the small data and its artifact folder."""
    out = folder / "artifact"
    bench = LocalWorkbench(put(folder, rows() if table is None else table), out)
    return train(spec or a_spec(resources="{jobs: 1}"), a_planned("small"), bench), out
