"""Two trainings of the same inputs -> whether they agree, by the tolerance that the estimator's family can hold.

Trees compare thresholds and add up leaves, which every machine does alike; linear models, kernels and networks sum in
the order of the BLAS kernel, so the last digits differ between CPUs, and an estimator that had not converged amplifies
them. So bytes are compared first, then predictions; labels must be the same on every row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.records.training import Training

TREES = ("DecisionTree", "ExtraTree", "RandomForest", "GradientBoosting", "Bagging", "AdaBoost")
TREE_TOLERANCE = 1e-12
OTHER_TOLERANCE = 1e-9
UNCONVERGED_TOLERANCE = 1e-2


@dataclass(frozen=True)
class Agreement:
    """`same_bytes`: the model files are equal. `largest`: largest difference of a probability or, relative to the
    spread, of a number. `flips`: rows with another label. `tolerance`: what was allowed.
    """

    same_bytes: bool
    largest: float
    flips: int
    n: int
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the two agree."""
        return self.same_bytes or (self.flips == 0 and self.largest <= self.tolerance)

    def sentence(self) -> str:
        """For people."""
        if self.same_bytes:
            return "the same bytes"
        verdict = "agrees" if self.holds else "DIFFERS"
        return (
            f"{verdict}: other bytes; on {self.n} rows the predictions differ by {self.largest:.1e} at most"
            f" (allowed {self.tolerance:.0e}), {self.flips} labels flip"
        )


def tolerance(training: Training) -> float:
    """What a difference may be, by the family of the estimator and whether it converged."""
    if training.estimator.startswith(TREES) or training.estimator.startswith("Hist"):
        return TREE_TOLERANCE
    did_converge = not any("converge" in text for text in training.warnings)
    return OTHER_TOLERANCE if did_converge else UNCONVERGED_TOLERANCE


def agreement(
    one: Training, other: Training, predictions: tuple[Any, Any], probabilities: tuple[Any, Any]
) -> Agreement:
    """Compare what two artifacts say about the same rows; probabilities are None where there are none."""
    allowed = tolerance(one)
    n = len(predictions[0])
    same = one.artifact_digest == other.artifact_digest
    if one.classes is None:
        spread = max(float(np.std(predictions[0])), 1e-300)
        largest = float(np.max(np.abs(predictions[0] - predictions[1]), initial=0)) / spread
        return Agreement(same, largest, 0, n, allowed)
    flips = int(np.sum(predictions[0] != predictions[1]))
    largest = 0.0
    if probabilities[0] is not None and probabilities[1] is not None:
        largest = float(np.max(np.abs(probabilities[0] - probabilities[1]), initial=0))
    return Agreement(same, largest, flips, n, allowed)
