"""Everything that a gate may look at, measured beforehand: no gate computes a metric or asks the world."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.evaluate.metrics import canonical
from bot.evaluate.metrics.interface import Metric
from bot.evaluate.reach import spent_tail
from bot.records.evaluation import Budget, MissingBaseline
from bot.records.measured import Difference, Estimate, Gap, Sliced
from bot.records.training import Training


@dataclass(frozen=True)
class Evidence:
    """What was measured of one candidate. Keys of `differences` are (metric, baseline).

    `slices` are by metric. `contract` is None when the data have no schema. `newest_age_days` at `judged_at` is None
    when the spec names no time column. `overlap` is the share of test rows also among the training rows, None when not
    looked for. `accuracies`: n, o and d of ease.ml/ci by baseline. `passed` are ids of gates that passed for other
    inputs on these test rows. `independent`: as how many rows the test rows count when they fall into groups.
    `look`: which look at these test rows this is; the differences have the interval that is left for it.
    """

    training: Training
    primary: str
    n_test: int
    metrics: Mapping[str, Metric]
    estimates: Mapping[str, Estimate]
    differences: Mapping[tuple[str, str], Difference]
    missing: Mapping[str, MissingBaseline]
    slices: Mapping[str, tuple[Sliced, ...]]
    gaps: Mapping[tuple[str, str], Gap]
    operating: Mapping[str, float]
    baseline_operating: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    accuracies: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    contract: bool | None = None
    newest_age_days: float | None = None
    judged_at: datetime | None = None
    overlap: float | None = None
    budget: tuple[Budget, ...] = ()
    passed: Collection[str] = ()
    confidence: float = 0.95
    correction: str = "holm"
    independent: int | None = None
    look: int = 1

    @property
    def paired_confidence(self) -> float:
        """Of the differences: the more looks at these rows there were, the higher."""
        return 1 - 2 * spent_tail(self.look, (1 - self.confidence) / 2)

    def metric(self, name: str) -> str:
        """The name that a gate means: `primary` is the first metric of the spec."""
        return self.primary if name == "primary" else canonical(name)
