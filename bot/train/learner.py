"""One fit on arrays: the estimator of a spec with some parameters on some columns, and what it predicts."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.specs.model import ModelSpec
from bot.specs.outputs import Outputs, pipeline_outputs
from bot.train.blame import said
from bot.train.estimator import build_estimator, takes_weights, transformed
from bot.train.folds import Fold, make_folds
from bot.train.matrix import Encoded
from bot.train.target import Target

CALIBRATION_FOLDS = 5
OWN_FOLDS = 5  # of an estimator that chooses a parameter itself, such as LassoCV, where the spec names no `cv`


@dataclass(frozen=True)
class Learner:
    """How a spec's estimator is fitted; cheap to send to another process. `calibrates`: with the spec's calibration,
    which takes a fit more for each of CALIBRATION_FOLDS.
    """

    spec: ModelSpec
    classes: tuple[str, ...] | None
    calibrates: bool = False

    def fit(self, x: Any, target: Target, n_native: int = 0, changes: Mapping[str, Any] | None = None) -> Any:
        """A fitted estimator. Raises UserError (code `fit_failed`) in scikit-learn's words."""
        estimator = build_estimator(self.spec, self.classes, changes)
        if target.weights is not None and not takes_weights(estimator):
            raise no_weights(self.spec)
        if n_native:
            estimator.set_params(categorical_features=list(range(n_native)))
        estimator = transformed(estimator, self.spec)
        if not self.calibrates:
            return _alone(estimator, x, target, self.spec.seed)
        folds = make_folds(target, CALIBRATION_FOLDS, self.spec.seed)
        if target.moments is None and not _has_own_folds(estimator, target):
            return _calibrated(estimator, self.spec.estimator.calibration, x, target, folds)
        return self._calibrated_by_hand(estimator, x, target, folds)

    def _calibrated_by_hand(self, estimator: Any, x: Any, target: Target, folds: Sequence[Fold]) -> Any:
        """As scikit-learn with `ensemble=False`, which takes no folds that leave rows unvalidated, nor an estimator
        with folds of its own: the estimator of all rows, and calibrators of the out-of-fold scores.
        """
        from sklearn.base import clone

        scores = []
        for train, valid in folds:
            before = target.at(train)
            self._check_classes(before)
            scores.append(_scores(_alone(clone(estimator), x[train], before, self.spec.seed), x[valid]))
        rows = np.concatenate([valid for _, valid in folds])
        method = self.spec.estimator.calibration
        made = _of_scores(np.unique(target.values), method, np.concatenate(scores), target.at(rows))
        made.calibrated_classifiers_[0].estimator = _alone(clone(estimator), x, target, self.spec.seed)
        made.estimator, made.n_features_in_ = estimator, x.shape[1]
        return made

    def _check_classes(self, before: Target) -> None:
        lacking = set(range(len(self.classes or ()))) - set(before.values.tolist())
        if lacking:
            names = ", ".join((self.classes or ())[position] for position in sorted(lacking))
            raise UserError(
                f"`calibration`: one of its folds trains on {len(before.values)} rows, none of the class {names}",
                hint="Split by something else than `time`, or leave the first rows out with `data.where`.",
                place=self.spec.place("estimator.calibration"),
                code="fit_failed",
            )

    def outputs(self, estimator: Any, x: Any) -> Outputs:
        """Predictions with probabilities in the order of `classes`, also when a fold lacked a class; decision values
        where there are no probabilities.
        """
        outputs = asked(estimator, x)
        if outputs.probabilities is None:
            has_decision = self.classes is not None and hasattr(estimator, "decision_function")
            return replace(outputs, decision=estimator.decision_function(x)) if has_decision else outputs
        if outputs.probabilities.shape[1] == len(self.classes or ()):
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


def _calibrated(estimator: Any, method: str, x: Any, target: Target, folds: Sequence[Fold]) -> Any:
    from sklearn.calibration import CalibratedClassifierCV

    made = fitted(CalibratedClassifierCV(estimator, method=method, cv=folds, ensemble=False), x, target)
    made.cv = None  # the folds' positions are no part of the artifact
    return made


def _of_scores(classes: Any, method: str, scores: Any, target: Target) -> Any:
    """A CalibratedClassifierCV whose calibrators are fitted on `scores` (n,) or (n, k) of the rows of `target`."""
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Given(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        """Its decision values are what it is asked about."""

        def fit(self, x: Any, y: Any, sample_weight: Any = None) -> Any:  # noqa: ARG002 - as every estimator
            self.classes_, self.n_features_in_ = classes, x.shape[1]
            return self

        def decision_function(self, x: Any) -> Any:
            return x[:, 0] if x.shape[1] == 1 else x

        def predict(self, x: Any) -> Any:  # never called; scikit-learn asks that there is one
            return x

    every = np.arange(len(scores))
    return _calibrated(Given(), method, scores.reshape(len(scores), -1), target, [(every, every)])


def _scores(estimator: Any, x: Any) -> Any:
    if hasattr(estimator, "decision_function"):
        return estimator.decision_function(x)
    probabilities = asked(estimator, x).probabilities
    return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities


def _has_own_folds(estimator: Any, target: Target) -> bool:
    """Whether it chooses a parameter on folds of its own (LassoCV), which must respect groups or moments here."""
    inner = getattr(estimator, "regressor", estimator)
    return (target.groups is not None or target.moments is not None) and "cv" in inner.get_params(deep=False)


def _alone(estimator: Any, x: Any, target: Target, seed: int) -> Any:
    """Fitted without calibration."""
    if not _has_own_folds(estimator, target):
        return fitted(estimator, x, target)
    inner = getattr(estimator, "regressor", estimator)
    asked_for = inner.cv
    n_folds = OWN_FOLDS if asked_for is None else asked_for
    if isinstance(n_folds, int):
        inner.set_params(cv=make_folds(target, n_folds, seed))
    made = fitted(estimator, x, target)
    for one in (inner, getattr(made, "regressor_", made)):
        one.cv = asked_for  # the folds' positions are no part of the artifact
    return made


def no_weights(spec: ModelSpec) -> UserError:
    """The error for a weight column beside an estimator that has no use for it."""
    return UserError(
        f"{spec.estimator.name} cannot be fitted with weights",
        hint="Use another estimator, or remove `data.weight`.",
        place=spec.place("data.weight"),
        code="fit_failed",
    )


def fitted(estimator: Any, x: Any, target: Target) -> Any:
    """The estimator, fitted with the weights if there are any.

    Raises UserError (code `fit_failed`) in scikit-learn's words.
    """
    weights = {} if target.weights is None else {"sample_weight": target.weights}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=FutureWarning)
            return estimator.fit(x, target.values, **weights)
    except Exception as error:  # scikit-learn raises anything for parameters that do not fit the data
        hint = "Look at the estimator's parameters, `impute` and the values of the inputs."
        raise said(error, "the fit failed", hint) from None


def asked(estimator: Any, x: Any) -> Outputs:
    """What a fitted estimator or pipeline answers. Raises UserError (code `predict_failed`) in scikit-learn's words."""
    try:
        return pipeline_outputs(estimator, x)
    except Exception as error:
        hint = "Look at the estimator's parameters."
        raise said(error, "it was fitted but gives no predictions", hint, "predict_failed") from None
