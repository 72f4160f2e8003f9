"""A Predictor whose answers are given: for tests that need predictions and no scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class FakePredictor:
    """Says `probabilities` (n, n_classes) for every table of n rows, or `values` (n,) as a regression.

    Given one row, it repeats it for tables of any length.
    """

    def __init__(
        self,
        inputs: Sequence[str],
        classes: Sequence[str] | None = None,
        *,
        probabilities: Any = None,
        values: Any = None,
        threshold: float = 0.5,
    ) -> None:
        self.inputs = tuple(inputs)
        self.classes = None if classes is None else tuple(classes)
        self._probabilities = None if probabilities is None else np.atleast_2d(np.asarray(probabilities, float))
        self._values = None if values is None else np.atleast_1d(np.asarray(values, float))
        self._threshold = threshold

    def probabilities(self, table: Any) -> Any:
        """As given."""
        return None if self._probabilities is None else self._repeated(self._probabilities, table)

    def predict(self, table: Any) -> Any:
        """Labels by the threshold (two classes) or the most probable one; the values of a regression."""
        if self.classes is None:
            return self._repeated(self._values, table)
        probabilities = self.probabilities(table)
        if len(self.classes) == 2:
            chosen = (probabilities[:, 1] >= self._threshold).astype(int)
        else:
            chosen = probabilities.argmax(axis=1)
        return np.array(self.classes, dtype=str)[chosen]

    def _repeated(self, values: Any, table: Any) -> Any:
        missing = [name for name in self.inputs if name not in table.column_names]
        assert not missing, f"the table lacks {missing}"
        return np.repeat(values, table.num_rows, axis=0) if len(values) == 1 else values[: table.num_rows]
