"""What was measured of a candidate, in numbers alone: all that a gate may look at, so that gates can be judged later.

A training job measures; whoever judges needs no data, no model and no word of the training job about its own verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from pydantic import ConfigDict, Field

from bot.records.base import Part

_CLOSED = ConfigDict(extra="forbid", allow_inf_nan=False)


def _finite(*numbers: float | None) -> bool:
    return all(number is None or math.isfinite(number) for number in numbers)


@dataclass(frozen=True)
class Estimate:
    """A value with its bounds and standard error; all of these None when no interval can be trusted, as `method` says.

    `df`: degrees of freedom of the bounds, None for normal tails.
    """

    __pydantic_config__ = _CLOSED

    value: float
    low: float | None
    high: float | None
    error: float | None
    method: str
    df: float | None = None

    @property
    def is_finite(self) -> bool:
        """Whether every number is one; nothing can be judged by others."""
        return _finite(self.value, self.low, self.high, self.error)


@dataclass(frozen=True)
class Difference:
    """Candidate minus champion. `error` is the standard error, `p_value` two-sided against no difference.

    Bounds, error and p-value are None when no interval can be trusted, as `method` says. `df`: degrees of freedom of
    the bounds, None for normal tails.
    """

    __pydantic_config__ = _CLOSED

    candidate: float
    champion: float
    difference: float
    low: float | None
    high: float | None
    error: float | None
    p_value: float | None
    method: str
    df: float | None = None

    @property
    def is_finite(self) -> bool:
        """Whether every number is one; nothing can be judged by others."""
        return _finite(self.candidate, self.champion, self.difference, self.low, self.high, self.error, self.p_value)


@dataclass(frozen=True)
class Sliced:
    """One slice: `column` (or `a × b`), its rows, the metric there, and the difference to each baseline by name.

    `n_differ` counts, by baseline, the rows predicted differently.
    `estimate` is None when the slice has too few rows to judge, or only one class.
    """

    __pydantic_config__ = _CLOSED

    column: str
    name: str
    n: int
    estimate: Estimate | None
    differences: dict[str, Difference] = field(default_factory=dict)
    n_differ: dict[str, int] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Gap:
    """The largest difference between groups of a column, with its interval and the two groups at its ends."""

    __pydantic_config__ = _CLOSED

    column: str
    measure: str
    value: float
    low: float
    high: float
    error: float
    groups: tuple[str, str]

    @property
    def is_finite(self) -> bool:
        """Whether every number is one; nothing can be judged by others."""
        return _finite(self.value, self.low, self.high, self.error)


class MeasuredBaseline(Part):
    """A model that was scored on the same rows: its digest (None for `dummy` and `linear`), rows that differ, speed."""

    artifact_digest: str | None
    n_differ: int
    operating: dict[str, float]


class Measured(Part):
    """The numbers. `metrics` are the names of all that were asked for, in order; `differences` by metric and baseline,
    `slices` by metric. `accuracies`: n, o and d of ease.ml/ci by baseline; under the empty name n alone.

    `contract` is None when the data have no schema. `newest_age_days` at `judged_at` (RFC 3339) is None when the spec
    names no time column. `overlap` is the share of test rows also among the training rows, None when not looked for.
    `settings` is the digest of how the policy had things measured, empty in older records. `independent`: as how many
    independent rows the test rows count when they fall into groups, None when they do not. `rows_sketch` tells how many
    of the test rows another evaluation looked at (`bot/specs/sketch.py`), empty in older records.
    """

    metrics: tuple[str, ...]
    estimates: dict[str, Estimate]
    differences: dict[str, dict[str, Difference]]
    slices: dict[str, tuple[Sliced, ...]]
    gaps: tuple[Gap, ...]
    baselines: dict[str, MeasuredBaseline]
    accuracies: dict[str, tuple[float, float, float]]
    contract: bool | None
    newest_age_days: float | None
    judged_at: str | None
    overlap: float | None
    settings: str = Field("", exclude_if=lambda digest: not digest)
    rows_sketch: tuple[str, ...] = Field((), exclude_if=lambda sketch: not sketch)
    independent: int | None = Field(None, exclude_if=lambda count: count is None)
