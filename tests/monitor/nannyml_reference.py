"""What NannyML estimates on rows of real flights, kept in nannyml_reference.json with its versions.

`python tests/monitor/nannyml_reference.py FOLDER` prints that file anew. FOLDER holds `flights/2013-01.parquet` and
`-02`; Python is one of an environment with nannyml==0.13.1, statsmodels (which it does not declare) and pandas<3: 2 GB,
so no test installs it. What it judges is made by `rows` below, from whole numbers only: the same everywhere.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

CHUNK = 1000
SAID_FROM = 0.5
PACKAGES = ("nannyml", "numpy", "pandas", "scikit-learn", "scipy")


def rows(folder: Path) -> tuple[pa.Table, dict[str, pa.Table]]:
    """(5,000 reference rows, chunks of 1,000 by name): `late`, `chance` that it is late, and `said` from 0.5 on.

    The chance is a plain sum of the hour and of what the weather does to it, far too high: both judges must calibrate.
    """
    january, february = (scored(folder / f"flights/2013-0{month}.parquet") for month in (1, 2))
    drawn = january.take(np.random.default_rng(0).permutation(january.num_rows))
    others = drawn.slice(5000)
    minute = others["minute"].to_numpy()
    chunks = {
        "the same days": others.slice(0, CHUNK),
        "the same days again": others.slice(CHUNK, CHUNK),
        "flights after 15:00 only": others.filter(minute >= 900).slice(0, CHUNK),
        "flights before noon only": others.filter(minute < 720).slice(0, CHUNK),
        "february": february.slice(0, CHUNK),
    }
    return drawn.slice(0, 5000), chunks


def scored(path: Path) -> pa.Table:
    table = pq.read_table(path, columns=["outcome", "sched_dep_minute", "precip", "dewp"])
    table = table.filter(pc.is_valid(table["outcome"])).combine_chunks()
    minute, wet, dew = (
        pc.fill_null(pc.cast(table[name], pa.float64()), 0.0).to_numpy() for name in table.column_names[1:]
    )
    chance = np.round(np.clip(minute / 1800 + (wet > 0) * 0.2 + dew / 400, 0.01, 0.99), 3)
    late = pc.equal(table["outcome"], "late").to_numpy(zero_copy_only=False).astype(np.int64)
    return pa.table({"late": late, "chance": chance, "said": (chance >= SAID_FROM).astype(np.int64), "minute": minute})


def main() -> None:
    os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
    import nannyml

    reference, chunks = rows(Path(sys.argv[1]))
    judge = nannyml.CBPE(
        y_pred_proba="chance", y_pred="said", y_true="late", problem_type="classification_binary",
        metrics=["roc_auc", "accuracy", "f1"], chunk_size=CHUNK,
    )  # fmt: skip
    judge.fit(reference.to_pandas())
    found = {}
    for name, chunk in chunks.items():
        table = judge.estimate(chunk.drop_columns(["late"]).to_pandas()).filter(period="analysis").to_df()
        found[name] = {metric: float(table[metric]["value"].iloc[0]) for metric in ("roc_auc", "accuracy", "f1")}
    print(json.dumps({"versions": {name: version(name) for name in PACKAGES}, "estimates": found}, indent=2))


if __name__ == "__main__":
    main()
