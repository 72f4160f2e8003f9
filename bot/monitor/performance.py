"""Performance on the labelled rows of both tables: mean losses, worse beyond chance by permutation or exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.monitor.coding import numbers, texts
from bot.monitor.columns import flat
from bot.monitor.drift.interface import Floats
from bot.records.health import Performance

FEWEST = 30
MOST_EXACT = 1_000_000
GREATER_IS_BETTER = frozenset({"accuracy"})


@dataclass(frozen=True)
class Asked:
    """A loss and what it is made of: `metric` is accuracy, mae or brier; `probabilities` are columns by class."""

    metric: str
    target: str
    prediction: str
    probabilities: Mapping[str, str]

    def losses(self, table: Any) -> Floats:
        """(n,) of the rows of a table or a batch that have a label and an answer; none when a column lacks."""
        names = {self.target, *(self.probabilities.values() if self.metric == "brier" else (self.prediction,))}
        if not names <= set(table.schema.names):
            return np.zeros(0)
        truth = flat(table.column(self.target))
        if self.metric == "brier":
            return _brier(truth, {label: flat(table.column(name)) for label, name in self.probabilities.items()})
        predicted = flat(table.column(self.prediction))
        return _distances(truth, predicted) if self.metric == "mae" else _mistakes(truth, predicted)


@dataclass(frozen=True)
class Losses:
    """Sums over all labelled rows, and the losses of the rows kept, (k,)."""

    kept: Floats
    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def plus(self, losses: Floats) -> Losses:
        """With more rows counted."""
        total, squares = self.total + float(losses.sum()), self.squares + float((losses**2).sum())
        return Losses(self.kept, self.n + len(losses), total, squares)

    @property
    def mean(self) -> float:
        """Mean loss."""
        return self.total / max(self.n, 1)

    @property
    def spread(self) -> float:
        """Variance of one loss."""
        return max(self.squares / max(self.n, 1) - self.mean**2, 0.0)


def compared(
    metric: str, reference: Losses, current: Losses, alpha: float, permutations: int, floor: float = 0.0
) -> Performance | None:
    """Current against reference, two independent samples, one-sided at `alpha`; None with few labelled rows.

    The interval is the normal approximation, with half a mistake added to a table without one. A change for the worse
    of less than `floor` (of the metric; of the reference's mean for mae) is no alarm.
    """
    from scipy.special import ndtri

    if min(reference.n, current.n) < FEWEST:
        return None
    worse = current.mean - reference.mean
    least = 0.5 / max(reference.n, current.n) if metric == "accuracy" else 0.0
    variance = sum(max(one.spread, least) / max(one.n - 1, 1) for one in (reference, current))
    reach = float(-ndtri(alpha) * np.sqrt(variance))
    is_exact = metric == "accuracy" and reference.n + current.n <= MOST_EXACT
    p_value = _exact(reference, current) if is_exact else _dealt(reference, current, permutations)
    values = [1 - one.mean if metric in GREATER_IS_BETTER else one.mean for one in (reference, current)]
    return Performance(
        metric=metric,
        reference=values[0],
        current=values[1],
        worse=worse,
        low=worse - reach,
        high=worse + reach,
        confidence=1 - 2 * alpha,
        n_reference=reference.n,
        n_current=current.n,
        alarm=p_value <= alpha and worse >= floor * (reference.mean if metric == "mae" else 1.0),
        p_value=p_value,
    )


def _exact(reference: Losses, current: Losses) -> float:
    """Fisher's exact test, one-sided: at least as many of all mistakes among the current rows."""
    from scipy.stats import hypergeom

    wrong = round(current.total)
    every = reference.n + current.n
    return float(np.clip(hypergeom.sf(wrong - 1, every, wrong + round(reference.total), current.n), 0.0, 1.0))


def _dealt(reference: Losses, current: Losses, permutations: int, seed: int = 0) -> float:
    """Difference of means in standard errors against what it is when the losses kept are dealt at random."""
    pooled = np.concatenate([reference.kept, current.kept])
    n, m = len(reference.kept), len(current.kept)
    spread = float(pooled.std())
    if spread <= 0 or min(n, m) == 0:
        return 1.0
    every, total = reference.n + current.n, reference.total + current.total
    variance = (reference.squares + current.squares) / every - (total / every) ** 2
    score = (current.mean - reference.mean) / np.sqrt(max(variance, 1e-300) * (1 / reference.n + 1 / current.n))
    generator = np.random.default_rng(seed)
    sums = np.array([pooled[generator.permutation(n + m)[:m]].sum() for _ in range(permutations)])
    drawn = (sums / m - (pooled.sum() - sums) / n) / (spread * np.sqrt(1 / n + 1 / m))
    return float((1 + (drawn >= score - 1e-9 * abs(score)).sum()) / (permutations + 1))


def _distances(truth: Any, predicted: Any) -> Floats:
    error = np.abs(numbers(truth) - numbers(predicted))
    return np.asarray(error[~np.isnan(error)])


def _mistakes(truth: Any, predicted: Any) -> Floats:
    import pyarrow.compute as pc

    wrong = pc.not_equal(texts(truth), texts(predicted)).drop_null()
    return np.asarray(wrong.to_numpy(zero_copy_only=False), dtype=np.float64)


def _brier(truth: Any, probabilities: Mapping[str, Any]) -> Floats:
    import pyarrow.compute as pc

    labels = texts(truth)
    errors = [
        (pc.equal(labels, label).cast("float64").to_numpy(zero_copy_only=False) - numbers(given)) ** 2
        for label, given in probabilities.items()
    ]
    error = np.sum(errors, axis=0)
    return np.asarray(error[~np.isnan(error)])
