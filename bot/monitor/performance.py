"""Performance on the labelled rows of both tables: the share of right answers, or the mean absolute error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.monitor.coding import numbers, texts
from bot.records.health import Performance

FEWEST = 30


@dataclass(frozen=True)
class Losses:
    """Sums over labelled rows: rows, losses, squared losses. `metric` names the loss."""

    metric: str
    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def with_rows(self, truth: Any, predicted: Any) -> Losses:
        """With the rows of two Arrow arrays; a row without label or prediction is left out."""
        loss = _loss(self.metric, truth, predicted)
        return Losses(self.metric, self.n + len(loss), self.total + loss.sum(), self.squares + (loss**2).sum())

    @property
    def mean(self) -> float:
        """Mean loss."""
        return float(self.total / max(self.n, 1))

    @property
    def variance(self) -> float:
        """Variance of the mean, never zero: half a wrong answer is added to a perfect table."""
        spread = max(
            self.squares / max(self.n, 1) - self.mean**2, 0.5 / max(self.n, 1) if self.metric == "accuracy" else 0
        )
        return float(spread / max(self.n - 1, 1))


def compared(reference: Losses, current: Losses, alpha: float) -> Performance | None:
    """Current against reference, two independent samples, one-sided at `alpha`; None with few labelled rows."""
    from scipy.special import ndtri

    if min(reference.n, current.n) < FEWEST:
        return None
    worse, reach = current.mean - reference.mean, -ndtri(alpha) * np.sqrt(reference.variance + current.variance)
    values = [1 - one.mean if one.metric == "accuracy" else one.mean for one in (reference, current)]
    return Performance(
        metric=reference.metric,
        reference=values[0],
        current=values[1],
        worse=worse,
        low=float(worse - reach),
        high=float(worse + reach),
        confidence=1 - 2 * alpha,
        n_reference=reference.n,
        n_current=current.n,
        alarm=bool(worse - reach > 0),
    )


def _loss(metric: str, truth: Any, predicted: Any) -> Any:
    import pyarrow.compute as pc

    if metric == "mae":
        error = np.abs(numbers(truth) - numbers(predicted))
        return error[~np.isnan(error)]
    wrong = pc.not_equal(texts(truth), texts(predicted)).drop_null()
    return wrong.to_numpy(zero_copy_only=False).astype(np.float64)
