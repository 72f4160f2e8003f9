"""What a metric owes: its words, its direction, and one of four forms that say how its interval is made.

`Mean`: a smooth function of means over rows. `Table`: a function of the table (true class, predicted class).
`Ranking`: a value with the influence of each row on it. `Binned`: a sum of absolute means by bin. Estimation and
comparison live in `bot/evaluate/interval.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.evaluate.rows import Floats, Rows, Scores
from bot.records.training import Task

CLASSES: frozenset[Task] = frozenset({"binary", "multiclass"})
BINARY: frozenset[Task] = frozenset({"binary"})
MULTICLASS: frozenset[Task] = frozenset({"multiclass"})
REGRESSION: frozenset[Task] = frozenset({"regression"})


def first(means: Floats) -> Floats:
    """The single mean itself: (..., 1) to (...)."""
    out: Floats = means[..., 0]
    return out


@dataclass(frozen=True)
class Metric:
    """Words and direction. `unit` is empty for a pure number and `target` where it is the unit of the target.

    `low` and `high` are the ends of the range, None where there is none. `needs_each_class`: a rate within one class
    enters it whole, so that few rows of that class decide, however many others there are. `heavy_tailed`: it averages
    squares or ratios, whose variance need not exist.
    """

    name: str
    title: str
    tasks: frozenset[Task]
    greater_is_better: bool
    unit: str = ""
    low: float | None = 0.0
    high: float | None = 1.0
    needs_probabilities: bool = False
    needs_each_class: bool = False
    heavy_tailed: bool = False


@dataclass(frozen=True)
class Mean(Metric):
    """`moments(rows, scores)` is (n, q); the metric is `combine` of their (weighted) means: (..., q) to (...)."""

    moments: Callable[[Rows, Scores], Floats] = field(kw_only=True)
    combine: Callable[[Floats], Floats] = field(default=first, kw_only=True)


@dataclass(frozen=True)
class Table(Metric):
    """`of(tables)`: (..., k, k) counts or weights, true class by predicted class, to (...). 0/0 is 0."""

    of: Callable[[Floats], Floats] = field(kw_only=True)


@dataclass(frozen=True)
class Ranking(Metric):
    """`influence(rows, scores)`: the value, and (n,) influences whose squared sum over n squared is its variance."""

    influence: Callable[[Rows, Scores], tuple[float, Floats]] = field(kw_only=True)


@dataclass(frozen=True)
class Binned(Metric):
    """The sum over bins of absolute means. `parts(rows, scores)`: (n, bins) what is averaged over all rows, and
    (n, bins) its variance in a row for which the model is right.
    """

    parts: Callable[[Rows, Scores], tuple[Floats, Floats]] = field(kw_only=True)
