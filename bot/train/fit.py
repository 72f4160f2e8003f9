"""The kept inputs and the found parameters -> the fitted pipeline, its decision threshold and its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.specs.fitting import TunedThreshold
from bot.specs.model import ModelSpec
from bot.specs.outputs import Outputs
from bot.train.estimator import build_estimator, transformed
from bot.train.folds import Fold
from bot.train.inputs import Inputs
from bot.train.learner import asked, fitted
from bot.train.preprocess import Needs, n_native, preprocessor
from bot.train.target import Target
from bot.train.threshold import best_threshold

CALIBRATION_FOLDS = 5


@dataclass(frozen=True)
class Recipe:
    """All that decides a fit but the rows."""

    spec: ModelSpec
    inputs: Inputs
    needs: Needs
    classes: tuple[str, ...] | None
    parameters: Mapping[str, Any]

    def unfitted(self, calibration_folds: int | Sequence[Fold] = CALIBRATION_FOLDS) -> Any:
        """A Pipeline of `prepare` and `predict`."""
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.pipeline import Pipeline

        prepare = preprocessor(self.inputs, self.needs, seed=self.spec.seed)
        estimator = build_estimator(self.spec, self.classes, self.parameters)
        if n_native(self.inputs):
            estimator.set_params(categorical_features=list(range(n_native(self.inputs))))
        estimator = transformed(estimator, self.spec)
        method = self.spec.estimator.calibration
        if method != "none":
            estimator = CalibratedClassifierCV(estimator, method=method, cv=calibration_folds, ensemble=False)
        return Pipeline([("prepare", prepare), ("predict", estimator)])


def fit_pipeline(recipe: Recipe, framed: Any, target: Target, folds: Sequence[Fold]) -> Any:
    """The pipeline fitted on all training rows; `framed` holds these only. `folds` are for calibration."""
    pipeline = fitted(recipe.unfitted(folds or CALIBRATION_FOLDS), framed, target)
    if recipe.spec.estimator.calibration != "none":
        pipeline.steps[-1][1].cv = None  # the folds' positions are no part of the artifact
    return pipeline


def decision_threshold(recipe: Recipe, framed: Any, target: Target, folds: Sequence[Fold]) -> float | None:
    """The binary threshold: None without one, the spec's number, or tuned on out-of-fold predictions."""
    wanted = recipe.spec.estimator.threshold
    if recipe.spec.task != "binary":
        return None
    if not isinstance(wanted, TunedThreshold):
        return 0.5 if wanted is None else float(wanted)
    rows, truth, probability = [], [], []
    for train, valid in folds:
        pipeline = fitted(recipe.unfitted(), framed.take(train), target.at(train))
        outputs = asked(pipeline, framed.take(valid))
        if outputs.probabilities is None:
            hint = "Use an estimator with probabilities, or calibrate it."
            name = recipe.spec.estimator.name
            raise UserError(f"{name} has no probabilities to put a threshold on", hint=hint, code="parameter_invalid")
        rows.append(valid)
        truth.append(target.values[valid])
        probability.append(outputs.probabilities[:, 1])
    return best_threshold(np.concatenate(truth), np.concatenate(probability), wanted.tune)


def predict(pipeline: Any, framed: Any, n_classes: int) -> Outputs:
    """Outputs; classes of no training row get probability 0."""
    outputs = asked(pipeline, framed)
    if outputs.probabilities is not None and outputs.probabilities.shape[1] != n_classes:
        raise UserError("the estimator did not learn every class", code="fit_failed")
    return outputs
