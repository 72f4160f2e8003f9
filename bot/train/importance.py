"""A fitted estimator -> how much each source column matters to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from bot.specs.outputs import Outputs
from bot.train.learner import Learner
from bot.train.matrix import Encoded
from bot.train.scoring import row_losses


def source_importances(
    learner: Learner, estimator: Any, fold: Encoded, columns: Any, outputs: Outputs
) -> dict[str, float]:
    """Importance by source column, 0 or more, in no common unit: the estimator's own gains or coefficients, else the
    rise of the validation loss when the column's values are shuffled.
    """
    own = _own(estimator, fold, columns)
    if own is None:
        return _shuffled(learner, estimator, fold, columns, outputs)
    result: dict[str, float] = {}
    for value, position in zip(own, columns, strict=True):
        for source in fold.sources[position]:
            result[source] = result.get(source, 0.0) + float(value)
    return result


def _own(estimator: Any, fold: Encoded, columns: Any) -> Any:
    estimator = getattr(estimator, "regressor_", estimator)
    if hasattr(estimator, "_predictors"):
        return histogram_gains(estimator, len(columns))
    if hasattr(estimator, "feature_importances_"):
        return estimator.feature_importances_
    coefficients = getattr(estimator, "coef_", None)
    if coefficients is None:
        return None
    dense = coefficients.toarray() if hasattr(coefficients, "toarray") else np.asarray(coefficients)
    return np.abs(dense).reshape(-1, len(columns)).mean(axis=0) * fold.spread[columns]


def histogram_gains(estimator: Any, n: int) -> Any:
    """Sum of split gains by input, float64 (n,). scikit-learn has no public way: its trees are in `_predictors`."""
    gains = np.zeros(n)
    for trees in estimator._predictors:
        for tree in trees:
            nodes = tree.nodes[tree.nodes["is_leaf"] == 0]
            np.add.at(gains, nodes["feature_idx"], nodes["gain"])
    return gains


def _shuffled(learner: Learner, estimator: Any, fold: Encoded, columns: Any, outputs: Outputs) -> dict[str, float]:
    rng = np.random.default_rng(learner.spec.seed)
    base = row_losses(fold.valid.values, outputs).mean()
    kept = sorted({source for position in columns for source in fold.sources[position]})
    valid_x = fold.valid_x[:, columns]
    result: dict[str, float] = {}
    for source in kept:
        touched = np.flatnonzero([source in fold.sources[position] for position in columns])
        order = rng.permutation(valid_x.shape[0])
        shuffled = valid_x.tolil(copy=True) if hasattr(valid_x, "tolil") else valid_x.copy()
        shuffled[:, touched] = valid_x[order][:, touched]
        changed = learner.outputs(estimator, shuffled.tocsr() if hasattr(shuffled, "tocsr") else shuffled)
        result[source] = max(0.0, float(row_losses(fold.valid.values, changed).mean() - base))
    return result
