"""Test rows -> golden.json: rows that never change while the test set stays, with what the artifact says of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from bot.records.training import Golden
from bot.specs.frame import frame
from bot.specs.outputs import labels
from bot.specs.split import row_hashes
from bot.specs.values import json_values
from bot.train.fit import predict
from bot.train.prepare import ROW_ID, Prepared

N_GOLDEN = 20


def golden_rows(prepared: Prepared) -> Any:
    """Positions of the test rows with the smallest hash of their id: the same ones in whatever order they are read."""
    hashes = row_hashes(prepared.test_table[ROW_ID], seed=0)
    return np.argsort(hashes, kind="stable")[:N_GOLDEN]


def golden(prepared: Prepared, pipeline: Any, threshold: float | None, artifact_digest: str) -> Golden:
    """The record. A sensitive input is missing in its rows, and the predictions are those for such rows.

    Raises UserError (code `predict_failed`) when the pipeline does not take a sensitive input as missing.
    """
    names = prepared.inputs.names
    table = _hidden(prepared.test_table.select(names).take(golden_rows(prepared)), prepared.sensitive)
    classes = prepared.target.classes
    chosen = predict(pipeline, frame(table, prepared.inputs.columns), len(classes or ()))
    probabilities = None if chosen.probabilities is None else tuple(map(tuple, chosen.probabilities.tolist()))
    return Golden(
        model=prepared.spec.name,
        artifact_digest=artifact_digest,
        classes=classes,
        rows=tuple(dict(zip(names, row, strict=True)) for row in zip(*map(json_values, table.columns), strict=True))
        if names
        else tuple({} for _ in range(table.num_rows)),
        predictions=tuple(labels(chosen, classes, threshold).tolist()),
        probabilities=probabilities,
    )


def _hidden(table: Any, sensitive: frozenset[str]) -> Any:
    import pyarrow as pa

    for position, field in enumerate(table.schema):
        if field.name in sensitive:
            table = table.set_column(position, field.name, pa.nulls(table.num_rows, field.type))
    return table
