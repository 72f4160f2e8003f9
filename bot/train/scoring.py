"""A metric's name -> a score of predictions where more is better, for search, selection and thresholds.

These are scikit-learn's functions; the reported numbers with intervals are `bot.evaluate.metrics`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.specs.metrics import ALIASES
from bot.specs.model import ModelSpec
from bot.specs.outputs import Outputs, positions

CALIBRATION_BINS = 10
_EPSILON = float(np.finfo(np.float64).eps)  # as scikit-learn


@dataclass(frozen=True)
class Scorer:
    """`score(truth, outputs, threshold)`, more is better; `name` is mlbot's name of the metric. Rows count alike, as
    where a model is judged. `rows` gives the values (n,) whose mean is the metric, None when it is no mean.
    """

    name: str
    sign: int
    measure: Callable[[Any, Any], float]
    wants: str  # "score" (of the second class), "probabilities", "labels" or "values"
    rows: Callable[[Any, Any], Any] | None = None

    def score(self, truth: Any, outputs: Outputs, threshold: float | None = None) -> float:
        """The metric times its sign; NaN when it is not defined on the rows (one class only)."""
        shown = self._shown(outputs, threshold)
        if shown is None:
            return float("nan")
        try:
            return self.sign * float(self.measure(truth, shown))
        except ValueError:
            return float("nan")

    def influence(self, truth: Any, outputs: Outputs) -> Any:
        """Each row's part in the score, float64 (n,), such that the root of their sum of squares is the score's
        standard error and differences of two models' parts give that of the paired difference. None when the metric
        has no such form (f1, mcc, ...).
        """
        shown = self._shown(outputs, None)
        if shown is None or (self.rows is None and self.name != "roc_auc"):
            return None
        if self.rows is None:
            return auc_influence(truth, shown)
        rows = self.rows(truth, shown)
        return self.sign * (rows - rows.mean()) / len(rows)

    def _shown(self, outputs: Outputs, threshold: float | None) -> Any:
        """What the metric is measured on; None when the estimator does not give it."""
        if self.wants == "values":
            return outputs.predicted
        if self.wants == "labels":
            return positions(outputs, threshold)
        if self.wants == "score":
            return outputs.decision if outputs.probabilities is None else outputs.probabilities[:, 1]
        return outputs.probabilities


def scorer_for(spec: ModelSpec, name: str | None = None, classes: Sequence[str] | None = None) -> Scorer:
    """The scorer of a metric, the primary one when None. `classes` give the order of a cost table."""
    wanted = name or spec.metrics.primary
    wanted = ALIASES.get(wanted, wanted)
    if wanted == "cost":
        costs = np.array(spec.metrics.costs(classes) or [[0.0]])
        return Scorer("cost", -1, lambda truth, shown: costs[truth, shown].mean(), "labels", lambda t, s: costs[t, s])
    return _scorer(wanted)


def _scorer(name: str) -> Scorer:
    from sklearn import metrics as m

    table: dict[str, tuple[Any, ...]] = {
        "accuracy": (1, m.accuracy_score, "labels", lambda truth, shown: (shown == truth).astype(float)),
        "average_precision": (1, m.average_precision_score, "score"),
        "balanced_accuracy": (1, m.balanced_accuracy_score, "labels"),
        "brier": (-1, lambda truth, shown: squared_distances(truth, shown).mean(), "probabilities", squared_distances),
        "calibration_error": (-1, calibration_error, "probabilities"),
        "f1": (1, _with(m.f1_score, zero_division=0), "labels"),
        "f1_macro": (1, _with(m.f1_score, average="macro", zero_division=0), "labels"),
        "f1_weighted": (1, _with(m.f1_score, average="weighted", zero_division=0), "labels"),
        "log_loss": (-1, lambda truth, shown: row_log_loss(truth, shown).mean(), "probabilities", row_log_loss),
        "mae": (-1, m.mean_absolute_error, "values", lambda truth, shown: np.abs(shown - truth)),
        "mape": (-1, m.mean_absolute_percentage_error, "values"),
        "mcc": (1, m.matthews_corrcoef, "labels"),
        "precision": (1, _with(m.precision_score, zero_division=0), "labels"),
        "precision_macro": (1, _with(m.precision_score, average="macro", zero_division=0), "labels"),
        "r2": (1, m.r2_score, "values"),
        "recall": (1, _with(m.recall_score, zero_division=0), "labels"),
        "recall_macro": (1, _with(m.recall_score, average="macro", zero_division=0), "labels"),
        "rmse": (-1, m.root_mean_squared_error, "values", _linear_squares),
        "roc_auc": (1, m.roc_auc_score, "score"),
        "roc_auc_ovr": (1, _with(m.roc_auc_score, multi_class="ovr", average="macro"), "probabilities"),
        "specificity": (1, _with(m.recall_score, pos_label=0, zero_division=0), "labels"),
    }
    if name.startswith("pinball"):
        quantile = float(name.removeprefix("pinball_"))
        return Scorer(name, -1, _with(m.mean_pinball_loss, alpha=quantile), "values")
    return Scorer(name, *table[name])


def _with(function: Callable[..., float], **fixed: Any) -> Callable[[Any, Any], float]:
    return lambda truth, shown: function(truth, shown, **fixed)


def squared_distances(truth: Any, probabilities: Any) -> Any:
    """The row's Brier score, float64 (n,): (p - y)^2 of the second of two classes, the sum over more."""
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] - truth) ** 2
    return ((probabilities - np.eye(probabilities.shape[1])[truth]) ** 2).sum(axis=1)


def calibration_error(truth: Any, probabilities: Any) -> float:
    """Expected calibration error over ten bins, as `bot.evaluate.metrics.calibration_error`."""
    if probabilities.shape[1] == 2:
        probability, outcome = probabilities[:, 1], truth == 1
    else:
        probability, outcome = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = np.minimum((probability * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=probability - outcome, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(truth))


def _linear_squares(truth: Any, shown: Any) -> Any:
    squares = (shown - truth) ** 2
    return squares / max(1e-300, 2 * np.sqrt(squares.mean()))


def auc_influence(truth: Any, score: Any) -> Any:
    """The placement values of DeLong, DeLong & Clarke-Pearson 1988, by mid-ranks (Sun & Xu 2014), float64 (n,)."""
    from scipy.stats import rankdata

    positive = truth == 1
    m, n = int(positive.sum()), int((~positive).sum())
    if m == 0 or n == 0:
        return np.zeros(len(truth))
    ranks = rankdata(score)
    result = np.empty(len(truth))
    above = (ranks[positive] - rankdata(score[positive])) / n
    below = 1 - (ranks[~positive] - rankdata(score[~positive])) / m
    result[positive] = (above - above.mean()) / m
    result[~positive] = (below - below.mean()) / n
    return result


def row_log_loss(truth: Any, probabilities: Any) -> Any:
    """-log of the probability of the true class, float64 (n,), clipped at the float's epsilon."""
    chosen = probabilities[np.arange(len(truth)), truth]
    return -np.log(np.clip(chosen, _EPSILON, 1.0))


def row_losses(truth: Any, outputs: Outputs) -> Any:
    """Loss of each row, float64 (n,): log-loss for classes, squared error for numbers."""
    if outputs.probabilities is not None:
        return row_log_loss(truth, outputs.probabilities)
    predicted = np.asarray(outputs.predicted)
    if predicted.dtype.kind == "f":
        return (predicted - truth) ** 2
    return (predicted != truth).astype(float)
