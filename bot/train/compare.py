"""Two trainings of the same inputs -> whether they agree, by the tolerance that the estimator's family can hold.

Trees compare thresholds and add up leaves, which every machine does alike. Linear models, kernels and networks sum in
the order of the BLAS kernel, so the last digits differ between CPUs; solvers that stop at a gradient of `tol` (1e-4 by
default) amplify that where the likelihood is flat: 4e-3 and one label of 2,000 were seen for a LogisticRegression by
lbfgs with a rare class, on x86-64 against aarch64. A smaller `tol` holds more, and Newton's method runs into the
optimum itself: 4e-15 for the same model. So bytes are compared first, then predictions, by what the family can hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.records.training import Training

TREES = ("DecisionTree", "ExtraTree", "RandomForest", "GradientBoosting", "Bagging", "AdaBoost")
TREE_TOLERANCE = 1e-12
OTHER_TOLERANCE = 1e-9
ITERATIVE = ("LogisticRegression", "LinearSV", "SGD", "MLP", "Perceptron", "PassiveAggressive", "GaussianProcessC")
ITERATIVE_TOLERANCE = 1e-2
NEWTON = ("newton-cholesky", "newton-cg")
BY_TOL = ("LogisticRegression", "LinearSV")  # `tol` bounds a gradient
TOLERANCE_PER_TOL = 100
ITERATIVE_FLIPS = 1e-3  # share of rows whose label may flip, at least one row


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
    flips_allowed: int = 0

    @property
    def holds(self) -> bool:
        """Whether the two agree."""
        return self.same_bytes or (self.flips <= self.flips_allowed and self.largest <= self.tolerance)

    def sentence(self) -> str:
        """For people."""
        if self.same_bytes:
            return "the same bytes"
        verdict = "agrees" if self.holds else "DIFFERS"
        return (
            f"{verdict}: other bytes; on {self.n} rows the predictions differ by {self.largest:.1e} at most"
            f" (allowed {self.tolerance:.0e}), {self.flips} labels flip (allowed {self.flips_allowed})"
        )


def tolerance(training: Training) -> float:
    """What a difference may be, by the family of the estimator, its solver, and whether that converged."""
    if training.estimator.startswith(TREES) or training.estimator.startswith("Hist"):
        return TREE_TOLERANCE
    did_converge = not any("converge" in text for text in training.warnings)
    is_iterative = training.estimator.startswith(ITERATIVE)
    if did_converge and (not is_iterative or training.parameters.get("solver") in NEWTON):
        return OTHER_TOLERANCE
    tol = training.parameters.get("tol")
    if did_converge and training.estimator.startswith(BY_TOL) and isinstance(tol, int | float):
        return max(OTHER_TOLERANCE, min(ITERATIVE_TOLERANCE, TOLERANCE_PER_TOL * tol))
    return ITERATIVE_TOLERANCE


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
    may_flip = max(1, int(n * ITERATIVE_FLIPS)) if allowed > OTHER_TOLERANCE else 0
    return Agreement(same, largest, flips, n, allowed, may_flip)
