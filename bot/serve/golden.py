"""Golden predictions: rows with the answers that training gave, to be reproduced before anything is served."""

from __future__ import annotations

from typing import Any

import numpy as np

from bot.errors import UserError
from bot.ports import Predictor
from bot.records.training import Golden, Training
from bot.serve.engine import Engine, arrow_table
from bot.specs.signature import signature_of

SKOPS_TOLERANCE = 1e-6  # other processors differ in the last digits (rtol 1e-9 was seen); a wrong model differs at once
ONNX_TOLERANCE = 1e-4  # what the parity gate allows


def golden_columns(golden: Golden, names: tuple[str, ...]) -> dict[str, list[Any]]:
    """The rows as the columns of a request; a key that a row lacks is missing (None)."""
    return {name: [row.get(name) for row in golden.rows] for name in names}


def difference(expected: Any, found: Any, tolerance: float) -> str | None:
    """What differs between recorded and new predictions, None when nothing does beyond the tolerance.

    Numbers are compared relative to 1 or their size, whichever is larger; labels exactly.
    """
    one, two = np.asarray(expected), np.asarray(found)
    if one.shape != two.shape:
        return f"{two.shape} values instead of {one.shape}"
    if one.dtype.kind in "fiu" and two.dtype.kind in "fiu":
        gap = np.abs(one - two) / np.maximum(1.0, np.abs(one))
        worst = float(np.max(gap)) if gap.size else 0.0
        return None if worst <= tolerance else f"largest difference {worst:.2g}, allowed {tolerance:.0e}"
    n = int(np.sum(one.astype(str) != two.astype(str)))
    return f"{n} of {one.size} labels differ" if n else None


def check_golden(engine: Engine, data: bytes) -> None:
    """Reproduce the golden predictions. Raises UserError (codes `golden_differs`, `golden_mismatch`)."""
    golden = Golden.parse(data, source="golden.json")
    if golden.artifact_digest != engine.training.artifact_digest or not golden.rows:
        raise UserError("golden.json does not belong to this artifact, or is empty", code="golden_mismatch")
    _compare(golden, engine.predict(golden_columns(golden, engine.training.inputs)), engine.kind)


def reproduces(predictor: Predictor, training: Training, kind: str, data: bytes) -> None:
    """The same without a release: `predict` and `probabilities` of the predictor itself, by way of Arrow."""
    golden = Golden.parse(data, source="golden.json")
    if golden.artifact_digest != training.artifact_digest or not golden.rows:
        raise UserError("golden.json does not belong to this artifact, or is empty", code="golden_mismatch")
    table = arrow_table(golden_columns(golden, training.inputs), signature_of(training))
    _compare(golden, (predictor.predict(table), predictor.probabilities(table)), kind)


def _compare(golden: Golden, found: tuple[Any, Any], kind: str) -> None:
    tolerance = ONNX_TOLERANCE if kind == "onnx" else SKOPS_TOLERANCE
    pairs: list[tuple[str, Any, Any]] = [("predict", golden.predictions, found[0])]
    if golden.probabilities is not None:
        pairs.append(("predict_proba", golden.probabilities, found[1]))
    for name, one, two in pairs:
        gap = difference(one, two, tolerance)
        if gap is not None:
            raise UserError(f"golden predictions are not reproduced: {name}: {gap}", code="golden_differs")
