"""Out-of-fold probabilities of the training rows -> the decision threshold that a spec asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bot.errors import UserError
from bot.specs.outputs import Outputs
from bot.train.folds import make_folds
from bot.train.target import Target

THRESHOLD_FOLDS = 5


def tuned(metric: str, target: Target, seed: int, ask: Callable[[Any, Any], Outputs]) -> float:
    """The best threshold on out-of-fold predictions; `ask` fits on some rows and predicts others, by their positions.

    Raises UserError (code `folds_too_many`) when there are too few rows for the folds.
    """
    folds = make_folds(target, THRESHOLD_FOLDS, seed)
    answers = [ask(train, valid).probabilities for train, valid in folds]
    if any(one is None for one in answers):
        hint = "Use an estimator with probabilities, or calibrate it."
        raise UserError("there are no probabilities to put a threshold on", hint=hint, code="predict_failed")
    rows = np.concatenate([valid for _, valid in folds])
    return best_threshold(target.values[rows], np.concatenate(answers)[:, 1], metric)


def best_threshold(truth: Any, probability: Any, metric: str) -> float:
    """The threshold on the probability (n,) of the positive class that maximises accuracy, balanced_accuracy, f1, mcc
    or youden; of equals the nearest to 0.5. All cuts are tried at once on the sorted probabilities.
    """
    order = np.argsort(-probability, kind="stable")
    truth, probability = np.asarray(truth)[order].astype(float), probability[order]
    last = np.flatnonzero(np.diff(probability, append=-1.0))  # the last row of each run of equal probabilities
    tp, fp = (np.append(0.0, np.cumsum(hits)[last]) for hits in (truth, 1 - truth))  # first: no row is positive
    n_pos, n_neg = truth.sum(), len(truth) - truth.sum()
    fn, tn = n_pos - tp, n_neg - fp
    with np.errstate(all="ignore"):
        values = {
            "accuracy": (tp + tn) / len(truth),
            "balanced_accuracy": (tp / n_pos + tn / n_neg) / 2,
            "youden": tp / n_pos + tn / n_neg - 1,
            "f1": 2 * tp / (2 * tp + fp + fn),
            "mcc": (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
        }[metric]
    values = np.nan_to_num(values, nan=0.0)  # as scikit-learn: a metric that divides by nothing is 0
    cuts = np.concatenate([[1.0], probability[last], [0.0]])
    middle = (cuts[:-1] + cuts[1:]) / 2  # half-way to the next row, so that rounding flips nothing
    best = np.flatnonzero(values >= values.max() - 1e-12)
    return float(np.clip(middle[best[np.argmin(np.abs(middle[best] - 0.5))]], 1e-6, 1 - 1e-6))
