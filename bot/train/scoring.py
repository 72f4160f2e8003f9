"""A metric's name -> a score of predictions where more is better, for search, selection and thresholds.

These are scikit-learn's functions; the reported numbers with intervals are `bot.evaluate.metrics`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.specs.metrics import ALIASES
from bot.specs.model import ModelSpec
from bot.specs.outputs import Outputs, positions

_EPSILON = 1e-15
BY_LOG_LOSS = frozenset(("calibration_error", "cost"))  # need bins or a cost table, which a search has not


@dataclass(frozen=True)
class Scorer:
    """`score(truth, outputs, weights)`, more is better; `name` is mlbot's name of the metric."""

    name: str
    sign: int
    measure: Callable[..., float]
    wants: str  # "score" (probability of the second class), "probabilities", "labels" or "values"

    def score(self, truth: Any, outputs: Outputs, weights: Any = None) -> float:
        """The metric times its sign; NaN when the rows cannot tell (one class only)."""
        try:
            return self.sign * float(self.measure(truth, self._shown(outputs), sample_weight=weights))
        except ValueError:
            return float("nan")

    def influence(self, truth: Any, outputs: Outputs) -> Any:
        """Each row's part in the score, float64 (n,), such that the root of their sum of squares is the score's
        standard error and differences of two models' parts give that of the paired difference. None when the metric
        has no such form (f1, mcc, ...).
        """
        shown = self._shown(outputs)
        if self.name == "roc_auc" and shown.dtype.kind == "f":
            return auc_influence(truth, shown)
        rows = _row_values(self.name, truth, shown)
        return None if rows is None else self.sign * (rows - rows.mean()) / len(rows)

    def _shown(self, outputs: Outputs) -> Any:
        if self.wants == "values":
            return outputs.predicted
        if self.wants == "labels" or outputs.probabilities is None:
            return positions(outputs, None)
        return outputs.probabilities[:, 1] if self.wants == "score" else outputs.probabilities


def scorer_for(spec: ModelSpec, name: str | None = None) -> Scorer:
    """The scorer of a metric, the primary one when None. Those of `BY_LOG_LOSS` score by log-loss."""
    wanted = name or spec.metrics.primary
    return _scorer(ALIASES.get(wanted, wanted))


def _scorer(name: str) -> Scorer:
    from sklearn import metrics as m

    table: dict[str, tuple[int, Callable[..., float], str]] = {
        "accuracy": (1, m.accuracy_score, "labels"),
        "average_precision": (1, m.average_precision_score, "score"),
        "balanced_accuracy": (1, m.balanced_accuracy_score, "labels"),
        "brier": (-1, m.brier_score_loss, "score"),
        "f1": (1, _with(m.f1_score, zero_division=0), "labels"),
        "f1_macro": (1, _with(m.f1_score, average="macro", zero_division=0), "labels"),
        "f1_weighted": (1, _with(m.f1_score, average="weighted", zero_division=0), "labels"),
        "log_loss": (-1, log_loss, "probabilities"),
        "mae": (-1, m.mean_absolute_error, "values"),
        "mape": (-1, m.mean_absolute_percentage_error, "values"),
        "mcc": (1, m.matthews_corrcoef, "labels"),
        "precision": (1, _with(m.precision_score, zero_division=0), "labels"),
        "precision_macro": (1, _with(m.precision_score, average="macro", zero_division=0), "labels"),
        "r2": (1, m.r2_score, "values"),
        "recall": (1, _with(m.recall_score, zero_division=0), "labels"),
        "recall_macro": (1, _with(m.recall_score, average="macro", zero_division=0), "labels"),
        "rmse": (-1, m.root_mean_squared_error, "values"),
        "roc_auc": (1, m.roc_auc_score, "score"),
        "roc_auc_ovr": (1, _with(m.roc_auc_score, multi_class="ovr", average="macro"), "probabilities"),
        "specificity": (1, _with(m.recall_score, pos_label=0, zero_division=0), "labels"),
    }
    if name.startswith("pinball"):
        quantile = float(name.removeprefix("pinball_"))
        return Scorer(name, -1, _with(m.mean_pinball_loss, alpha=quantile), "values")
    name = "log_loss" if name in BY_LOG_LOSS else name
    return Scorer(name, *table[name])


def _with(function: Callable[..., float], **fixed: Any) -> Callable[..., float]:
    return lambda truth, shown, sample_weight=None: function(truth, shown, sample_weight=sample_weight, **fixed)


def _row_values(name: str, truth: Any, shown: Any) -> Any:
    """The values whose mean is the metric (for rmse: its linear form), None when it is no mean."""
    if name == "accuracy":
        return (shown == truth).astype(float)
    if name == "log_loss":
        return row_log_loss(truth, shown)
    if name in ("brier", "rmse") and shown.dtype.kind == "f":
        squares = (shown - truth) ** 2
        return squares if name == "brier" else squares / max(1e-300, 2 * np.sqrt(squares.mean()))
    return np.abs(shown - truth) if name == "mae" else None


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


def log_loss(truth: Any, probabilities: Any, sample_weight: Any = None) -> float:
    """Mean negative log-likelihood; a hard label counts as certain."""
    return float(np.average(row_log_loss(truth, probabilities), weights=sample_weight))


def row_log_loss(truth: Any, probabilities: Any) -> Any:
    """-log of the probability of the true class, float64 (n,), clipped at 1e-15."""
    if probabilities.ndim == 1:
        return np.where(probabilities == truth, 0.0, -np.log(_EPSILON))
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
