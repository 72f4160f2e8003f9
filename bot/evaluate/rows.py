"""Test rows and what a model says about them, as arrays: the only form in which evaluation sees data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bot.records.training import Task

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

FEWEST_GROUPS = 5


@dataclass(frozen=True)
class Rows:
    """Labelled rows. n is their number.

    `truth`: int64 (n,) positions in `classes`, or float64 (n,) for a regression (`classes` None).
    `weights`: float64 (n,) above zero, None when every row counts the same.
    `groups`: int64 (n,), rows of one group are drawn together; None when rows are independent.
    `strata`: the test rows were drawn with a fixed share of each class, so resampling keeps the shares.
    `slices`: column name -> text (n,), the declared slice columns after binning.
    `unit`: unit of the target of a regression, empty when unknown.
    """

    task: Task
    truth: Codes | Floats
    classes: tuple[str, ...] | None = None
    weights: Floats | None = None
    groups: Codes | None = None
    strata: bool = False
    slices: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    unit: str = ""

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def n_classes(self) -> int:
        """Number of classes, 0 for a regression."""
        return len(self.classes or ())

    @property
    def few_groups(self) -> bool:
        """Whether the rows belong to so few groups that nothing can be said about how the groups vary."""
        return self.groups is not None and len(np.unique(self.groups)) < FEWEST_GROUPS

    @property
    def independent(self) -> int | None:
        """As how many independent rows a bounded mean of them varies at most: all rows by the largest group."""
        if self.groups is None or not len(self):
            return None
        return int(len(self) / np.unique(self.groups, return_counts=True)[1].max())

    def where(self, mask: Mask | Codes) -> Rows:
        """The rows that a boolean mask (n,) keeps, or row numbers."""
        return replace(
            self,
            truth=self.truth[mask],
            weights=None if self.weights is None else self.weights[mask],
            groups=None if self.groups is None else self.groups[mask],
            slices={name: values[mask] for name, values in self.slices.items()},
        )


@dataclass(frozen=True)
class Scores:
    """What one model says about the rows.

    `predicted`: int64 (n,) positions in `Rows.classes`, or float64 (n,). A class that the rows do not know is -1.
    `probabilities`: float64 (n, n_classes) in the order of `Rows.classes`, None for a regression or a model without.
    """

    predicted: Codes | Floats
    probabilities: Floats | None = None

    def where(self, mask: Mask | Codes) -> Scores:
        """The rows that a boolean mask (n,) keeps, or row numbers."""
        kept = None if self.probabilities is None else self.probabilities[mask]
        return Scores(predicted=self.predicted[mask], probabilities=kept)


def differing(one: Scores, other: Scores) -> Mask:
    """Boolean (n,): the rows on which two models predict differently; regressions differ beyond rounding (1e-9)."""
    if one.predicted.dtype.kind == "f":
        return ~np.isclose(one.predicted, other.predicted, rtol=1e-9, atol=1e-12)
    return np.asarray(one.predicted != other.predicted)
