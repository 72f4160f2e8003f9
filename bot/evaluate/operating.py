"""Operating characteristics of a model: what it weighs and how long an answer takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bot.ports import Predictor
from bot.records.training import Training

SINGLE, THOUSAND = 60, 10


def characteristics(
    training: Training, predictor: Predictor, table: Any, clock: Callable[[], float]
) -> dict[str, float]:
    """Seconds, bytes, and milliseconds of predictions by name.

    `row_*` answers one row at a time, `thousand_*` 1,000 rows at once (repeated when there are fewer). `clock` gives
    seconds; `table` is a pyarrow.Table of test rows.
    """
    size = next((file.size for file in training.files if file.name == "model.skops"), 0)
    found = {
        "fit_s": training.seconds.fit,
        "peak_memory_bytes": float(training.peak_memory_bytes),
        "artifact_bytes": float(size),
    }
    if table.num_rows == 0:
        return found
    singles = [table.slice(number % table.num_rows, 1) for number in range(SINGLE)]
    thousand = table.take(np.arange(1000) % table.num_rows)
    for name, tables in (("row", singles), ("thousand", [thousand] * THOUSAND)):
        ask = predictor.predict if training.classes is None else predictor.probabilities
        ask(tables[0])
        spent = []
        for one in tables:
            start = clock()
            ask(one)
            spent.append((clock() - start) * 1000)
        found[f"{name}_p50_ms"], found[f"{name}_p99_ms"] = (float(np.quantile(spent, share)) for share in (0.5, 0.99))
    return found
