"""roc_auc_ovr: ROC AUC of each class against the rest, averaged with equal weight over the classes that occur."""

import numpy as np

from bot.evaluate.metrics.interface import MULTICLASS, Ranking
from bot.evaluate.metrics.roc_auc import auc_influence
from bot.evaluate.rows import Floats, Rows, Scores


def roc_auc_ovr(rows: Rows, scores: Scores) -> tuple[float, Floats]:
    """NaN when fewer than two classes occur."""
    assert scores.probabilities is not None
    present = [k for k in range(rows.n_classes) if (rows.truth == k).any()]
    if len(present) < 2:
        return float("nan"), np.zeros(len(rows))
    each = [auc_influence(scores.probabilities[:, k], rows.truth == k, rows.weights) for k in present]
    return float(np.mean([area for area, _ in each])), np.mean([influence for _, influence in each], axis=0)


metric = Ranking(
    "roc_auc_ovr",
    "ROC AUC (one against rest)",
    MULTICLASS,
    True,
    needs_probabilities=True,
    needs_each_class=True,
    influence=roc_auc_ovr,
)
