"""Two trainings agree when bytes are equal, or predictions are within what the estimator's family can hold."""

from __future__ import annotations

import numpy as np
import pytest

from bot.train.compare import ITERATIVE_TOLERANCE, OTHER_TOLERANCE, TREE_TOLERANCE, agreement, tolerance
from tests.builders import a_digest, a_training


@pytest.mark.parametrize(
    ("estimator", "parameters", "warnings", "allowed"),
    [
        ("HistGradientBoostingClassifier", {}, (), TREE_TOLERANCE),
        ("RandomForestRegressor", {}, (), TREE_TOLERANCE),
        ("Ridge", {}, (), OTHER_TOLERANCE),
        ("LogisticRegression", {}, (), ITERATIVE_TOLERANCE),
        ("LogisticRegression", {"tol": 1e-7}, (), 1e-5),
        ("LogisticRegression", {"tol": 1e-7}, ("lbfgs failed to converge",), ITERATIVE_TOLERANCE),
        ("LogisticRegression", {"solver": "newton-cholesky"}, (), OTHER_TOLERANCE),
        ("LogisticRegression", {"solver": "newton-cg"}, ("it did not converge",), ITERATIVE_TOLERANCE),
        ("SGDClassifier", {"tol": 1e-7}, (), ITERATIVE_TOLERANCE),
        ("Lasso", {}, ("Objective did not converge.",), ITERATIVE_TOLERANCE),
    ],
)
def test_the_tolerance_follows_the_family_its_solver_and_whether_that_converged(
    estimator, parameters, warnings, allowed
):
    made = a_training(estimator=estimator, parameters=parameters, warnings=warnings)
    assert tolerance(made) == pytest.approx(allowed)


@pytest.mark.parametrize(
    ("shift", "flip", "holds"), [(0, False, True), (1e-13, False, True), (1e-6, False, False), (0, True, False)]
)
def test_a_difference_beyond_the_tolerance_or_a_flipped_label_does_not_hold(shift, flip, holds):
    one, other = (a_training(estimator="RandomForestClassifier", artifact_digest=a_digest(i)) for i in (1, 2))
    labels = np.array(["yes", "no", "yes"])
    changed = np.array(["no", "no", "yes"]) if flip else labels
    p = np.array([[0.3, 0.7], [0.6, 0.4], [0.1, 0.9]])
    found = agreement(one, other, (labels, changed), (p, p + shift))
    assert found.holds is holds and not found.same_bytes
    assert ("agrees" in found.sentence()) is holds
