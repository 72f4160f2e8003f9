"""The written list of metrics: name -> metric. To add one, write its file and put it here."""

from __future__ import annotations

import numpy as np

from bot.errors import UserError
from bot.evaluate.metrics import (
    accuracy,
    average_precision,
    balanced_accuracy,
    brier,
    calibration_error,
    cost,
    f1,
    f1_macro,
    f1_weighted,
    log_loss,
    mae,
    mape,
    mcc,
    pinball,
    precision,
    precision_macro,
    r2,
    recall,
    recall_macro,
    rmse,
    roc_auc,
    roc_auc_ovr,
    specificity,
)
from bot.evaluate.metrics.interface import Metric
from bot.records.training import Task
from bot.specs.metrics import ALIASES

METRICS: dict[str, Metric] = {
    module.metric.name: module.metric
    for module in (
        roc_auc,
        average_precision,
        log_loss,
        brier,
        calibration_error,
        f1,
        precision,
        recall,
        specificity,
        accuracy,
        balanced_accuracy,
        mcc,
        roc_auc_ovr,
        f1_macro,
        f1_weighted,
        precision_macro,
        recall_macro,
        cost,
        mae,
        rmse,
        r2,
        mape,
        pinball,
    )
}


def metric_of(name: str, *, costs: tuple[tuple[float, ...], ...] | None = None) -> Metric:
    """The metric of a name, an alias, or `pinball_<quantile>`; `cost` needs the matrix `costs` (k, k).

    Raises UserError (code `metric_unknown`) with the nearest name.
    """
    name = canonical(name)
    if name == "cost" and costs is not None:
        return cost.cost(np.asarray(costs, dtype=np.float64))
    if name.startswith("pinball_"):
        return pinball.pinball(_quantile(name), name)
    if name not in METRICS or name == "cost":
        raise unknown_metric(name)
    return METRICS[name]


def canonical(name: str) -> str:
    """The metric's own name, of itself or of scikit-learn's name for it."""
    return ALIASES.get(name, name)


def metrics_for(task: Task) -> tuple[str, ...]:
    """Names of the metrics that a task has without any declaration, in the order of the list."""
    return tuple(name for name, metric in METRICS.items() if task in metric.tasks and name not in ("cost", "pinball"))


def _quantile(name: str) -> float:
    try:
        quantile = float(name.removeprefix("pinball_"))
    except ValueError:
        raise unknown_metric(name) from None
    if not 0 < quantile < 1:
        raise UserError(
            f"a quantile lies between 0 and 1: {name}", hint="Write pinball_0.9, say.", code="metric_unknown"
        )
    return quantile


def unknown_metric(name: str) -> UserError:
    """The error, with the nearest name as hint."""
    import difflib

    near = difflib.get_close_matches(name, list(METRICS), 1)
    if name == "cost":
        hint = "The cost metric needs a cost matrix in the model spec."
    else:
        hint = f"Did you mean {near[0]}?" if near else "Known: " + ", ".join(METRICS)
    return UserError(f"unknown metric: {name}", hint=hint, code="metric_unknown")
