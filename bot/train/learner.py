"""One fit on arrays: the estimator of a spec with some parameters on some columns, and what it predicts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.specs.model import ModelSpec
from bot.specs.outputs import Outputs, pipeline_outputs
from bot.train.estimator import build_estimator, takes_weights, transformed
from bot.train.matrix import Encoded
from bot.train.target import Target

_VALUES = re.compile(r"(unknown categories) \[.*\](?= in column)|(?<=to float): .*")


@dataclass(frozen=True)
class Learner:
    """How a spec's estimator is fitted; cheap to send to another process."""

    spec: ModelSpec
    classes: tuple[str, ...] | None

    def fit(self, x: Any, target: Target, n_native: int = 0, changes: Mapping[str, Any] | None = None) -> Any:
        """A fitted estimator. Raises UserError (code `fit_failed`) in scikit-learn's words."""
        estimator = build_estimator(self.spec, self.classes, changes)
        if n_native:
            estimator.set_params(categorical_features=list(range(n_native)))
        estimator = transformed(estimator, self.spec)
        return fitted(estimator, x, target)

    def outputs(self, estimator: Any, x: Any) -> Outputs:
        """Predictions with probabilities in the order of `classes`, also when a fold lacked a class."""
        outputs = asked(estimator, x)
        if outputs.probabilities is None or outputs.probabilities.shape[1] == len(self.classes or ()):
            return outputs
        full = np.zeros((len(outputs.probabilities), len(self.classes or ())))
        full[:, estimator.classes_] = outputs.probabilities
        return Outputs(None, full)

    def fold(self, fold: Encoded, columns: Any = None, changes: Mapping[str, Any] | None = None) -> tuple[Any, Outputs]:
        """(estimator, outputs on the validation rows) on some columns of a fold, all when None."""
        n_native = fold.n_native if columns is None else int((columns < fold.n_native).sum())
        train_x, valid_x = (x if columns is None else x[:, columns] for x in (fold.train_x, fold.valid_x))
        estimator = self.fit(train_x, fold.train, n_native, changes)
        return estimator, self.outputs(estimator, valid_x)


def fitted(estimator: Any, x: Any, target: Target) -> Any:
    """The estimator, fitted with weights where it has any use for them; `x` is an array or the frame of a pipeline."""
    weights: dict[str, Any] = {}
    if target.weights is not None:
        last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
        if not takes_weights(last):
            name = type(last).__name__
            hint = "Use another estimator, or remove `data.weight`."
            raise UserError(f"{name} cannot be fitted with weights", hint=hint, code="fit_failed")
        prefix = f"{estimator.steps[-1][0]}__" if hasattr(estimator, "steps") else ""
        weights = {f"{prefix}sample_weight": target.weights}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=FutureWarning)
            return estimator.fit(x, target.values, **weights)
    except (ValueError, FloatingPointError, ZeroDivisionError) as error:
        raise UserError(
            f"the fit failed: {without_values(error)[:500]}",
            hint="Look at the estimator's parameters, `impute` and the values of the inputs.",
            code="fit_failed",
        ) from None


def without_values(error: Exception) -> str:
    """The first line of scikit-learn's words, without values of the data, which may be sensitive."""
    said = (str(error) or type(error).__name__).splitlines()[0]
    return _VALUES.sub(r"\1", said)


def asked(estimator: Any, x: Any) -> Outputs:
    """What a fitted estimator or pipeline answers. Raises UserError (code `predict_failed`) in scikit-learn's words."""
    try:
        return pipeline_outputs(estimator, x)
    except ValueError as error:
        raise UserError(
            f"it was fitted but gives no predictions: {without_values(error)[:300]}",
            hint="Look at the estimator's parameters.",
            code="predict_failed",
        ) from None
