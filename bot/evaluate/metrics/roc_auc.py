"""roc_auc: chance that a positive row is scored above a negative one (ties count half).

Influences are DeLong's placements by mid-ranks (DeLong et al. 1988; Sun and Xu 2014), O(n log n).
"""

import numpy as np
from numpy.typing import NDArray

from bot.evaluate.metrics.interface import BINARY, Ranking
from bot.evaluate.rows import Floats, Rows, Scores


def auc_influence(score: Floats, positive: NDArray[np.bool_], weights: Floats | None) -> tuple[float, Floats]:
    """Area under the curve of `score` (n,) and each row's influence (n,); NaN area when there is one class only.

    Unweighted, the squared sum of influences over n squared is DeLong's variance with its n - 1 divisors.
    """
    n = len(score)
    if not positive.any() or positive.all():
        return float("nan"), np.zeros(n)
    weight = np.ones(n) if weights is None else weights
    _, code = np.unique(score, return_inverse=True)
    mass = np.stack([np.bincount(code, weight * ~positive), np.bincount(code, weight * positive)])
    below = np.cumsum(mass, axis=1) - mass / 2
    total = mass.sum(axis=1)
    placement = np.where(positive, below[0][code] / total[0], (total[1] - below[1][code]) / total[1])
    area = float((placement * weight)[positive].sum() / total[1])
    influence = np.zeros(n)
    for side, of_class in zip((positive, ~positive), (total[1], total[0]), strict=True):
        m = int(side.sum())
        correction = np.sqrt(m / (m - 1)) if m > 1 else 1.0
        influence[side] = (placement[side] - area) * weight[side] * (n / of_class) * correction
    return area, influence


def roc_auc(rows: Rows, scores: Scores) -> tuple[float, Floats]:
    """Of the probability of the second class."""
    assert scores.probabilities is not None
    return auc_influence(scores.probabilities[:, 1], rows.truth == 1, rows.weights)


metric = Ranking("roc_auc", "ROC AUC", BINARY, True, needs_probabilities=True, needs_each_class=True, influence=roc_auc)
