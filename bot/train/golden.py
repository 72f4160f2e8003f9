"""Test rows -> golden.json: rows that never change while the test set stays, with what the artifact says of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from bot.records.training import Golden
from bot.specs.outputs import Outputs, labels
from bot.specs.split import row_hashes
from bot.train.prepare import Prepared

N_GOLDEN = 20


def golden_rows(prepared: Prepared) -> Any:
    """Positions of the test rows with the smallest hash of their id: the same ones in whatever order they are read."""
    hashes = row_hashes(prepared.test_table[prepared.spec.data.row_id], seed=0)
    return np.argsort(hashes, kind="stable")[:N_GOLDEN]


def golden(prepared: Prepared, outputs: Outputs, threshold: float | None, artifact_digest: str) -> Golden:
    """The record; `outputs` are those of all test rows."""
    rows = golden_rows(prepared)
    table = prepared.test_table.select(prepared.inputs.names).take(rows)
    chosen = Outputs(
        None if outputs.predicted is None else np.asarray(outputs.predicted)[rows],
        None if outputs.probabilities is None else outputs.probabilities[rows],
    )
    classes = prepared.target.classes
    probabilities = None if chosen.probabilities is None else tuple(map(tuple, chosen.probabilities.tolist()))
    return Golden(
        model=prepared.spec.name,
        artifact_digest=artifact_digest,
        classes=classes,
        rows=tuple({name: _json(value) for name, value in row.items()} for row in table.to_pylist()),
        predictions=tuple(labels(chosen, classes, threshold).tolist()),
        probabilities=probabilities,
    )


def _json(value: Any) -> Any:
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else _text(value)


def _text(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
