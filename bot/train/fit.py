"""The kept inputs and the found parameters -> the fitted pipeline, its decision threshold and its predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import UserError
from bot.specs.fitting import TunedThreshold
from bot.specs.model import ModelSpec
from bot.specs.outputs import Outputs
from bot.train.inputs import Inputs
from bot.train.learner import Learner, asked
from bot.train.matrix import fit_prepared
from bot.train.preprocess import Needs, n_native, preprocessor
from bot.train.target import Target
from bot.train.threshold import tuned


@dataclass(frozen=True)
class Recipe:
    """All that decides a fit but the rows."""

    spec: ModelSpec
    inputs: Inputs
    needs: Needs
    classes: tuple[str, ...] | None
    parameters: Mapping[str, Any]

    def fit(self, framed: Any, target: Target) -> Any:
        """A fitted Pipeline of `prepare` and `predict`; `framed` holds the rows of `target`."""
        from sklearn.pipeline import Pipeline

        prepare = preprocessor(self.inputs, self.needs, seed=self.spec.seed)
        x = fit_prepared(prepare, framed, target, self.spec.seed)
        learner = Learner(self.spec, self.classes, self.spec.estimator.calibration != "none")
        estimator = learner.fit(x, target, n_native(self.inputs), self.parameters)
        return Pipeline([("prepare", prepare), ("predict", estimator)])


def decision_threshold(recipe: Recipe, framed: Any, target: Target) -> float | None:
    """The spec's number, or tuned on out-of-fold predictions; None for the most probable class."""
    wanted = recipe.spec.estimator.threshold
    if not isinstance(wanted, TunedThreshold):
        return wanted

    def ask(train: Any, valid: Any) -> Outputs:
        return asked(recipe.fit(framed.take(train), target.at(train)), framed.take(valid))

    return tuned(wanted.tune, target, recipe.spec.seed, ask)


def predict(pipeline: Any, framed: Any, n_classes: int) -> Outputs:
    """Outputs; classes of no training row get probability 0."""
    outputs = asked(pipeline, framed)
    if outputs.probabilities is not None and outputs.probabilities.shape[1] != n_classes:
        raise UserError("the estimator did not learn every class", code="fit_failed")
    return outputs
