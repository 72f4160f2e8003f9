"""The written list of metric names that a spec may ask for: name -> tasks. `bot.evaluate.metrics` has a file each."""

from __future__ import annotations

import re

_CLASSES = ("binary", "multiclass")

METRICS: dict[str, tuple[str, ...]] = {
    "accuracy": _CLASSES,
    "average_precision": ("binary",),
    "balanced_accuracy": _CLASSES,
    "brier": _CLASSES,
    "calibration_error": _CLASSES,
    "cost": _CLASSES,
    "f1": ("binary",),
    "f1_macro": _CLASSES,
    "f1_weighted": _CLASSES,
    "log_loss": _CLASSES,
    "mae": ("regression",),
    "mape": ("regression",),
    "mcc": _CLASSES,
    "precision": ("binary",),
    "precision_macro": _CLASSES,
    "r2": ("regression",),
    "recall": ("binary",),
    "recall_macro": _CLASSES,
    "rmse": ("regression",),
    "roc_auc": ("binary",),
    "roc_auc_ovr": ("multiclass",),
    "specificity": ("binary",),
}


# Metrics of probabilities; the others are measured on labels or numbers.
OF_PROBABILITIES = frozenset(("average_precision", "brier", "calibration_error", "log_loss", "roc_auc", "roc_auc_ovr"))
# ... of these, what a search can also go by with decision values, as scikit-learn does.
OF_SCORES = frozenset(("average_precision", "roc_auc"))

# scikit-learn's names for the same.
ALIASES: dict[str, str] = {
    "neg_brier_score": "brier",
    "neg_log_loss": "log_loss",
    "neg_mean_absolute_error": "mae",
    "neg_mean_absolute_percentage_error": "mape",
    "neg_root_mean_squared_error": "rmse",
    "matthews_corrcoef": "mcc",
}

_PINBALL = re.compile(r"pinball_0\.[0-9]{1,6}")


def is_metric(name: str, task: str) -> bool:
    """Whether a task has this metric, by its name, scikit-learn's name or `pinball_<quantile>`."""
    if _PINBALL.fullmatch(name):
        return task == "regression"
    return task in METRICS.get(ALIASES.get(name, name), ())


def known_metrics(task: str) -> tuple[str, ...]:
    """Metric names for a task, sorted."""
    return tuple(name for name, tasks in METRICS.items() if task in tasks)
