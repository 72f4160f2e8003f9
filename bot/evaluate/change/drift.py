"""Two samples of each column -> which were drawn from another distribution, at a stated rate of false alarms.

Kolmogorov-Smirnov for numbers, chi-square for categories, and chi-square for what is missing; the p-values of all tests
together are corrected by Holm's method, so that with nothing changed the chance of any alarm is at most `alpha`. A
significant difference below `EFFECT` is named and no alarm: with many rows everything is significant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import chdtrc, kolmogorov

from bot.evaluate.holm import holm
from bot.evaluate.rows import Floats
from bot.evaluate.tables import texts
from bot.records.evaluation import Section

ALPHA, EFFECT = 0.05, 0.05
MOST_CATEGORIES = 100


@dataclass(frozen=True)
class Drift:
    """A column's test: `effect` is the largest distance of the two distribution functions, or of the shares."""

    column: str
    test: str
    effect: float
    p_value: float
    p_adjusted: float = 1.0

    @property
    def alarm(self) -> bool:
        """Whether it is both significant and large enough to matter."""
        return self.p_adjusted < ALPHA and self.effect > EFFECT


def drifts(before: Any, after: Any, columns: Sequence[str]) -> tuple[Drift, ...]:
    """Of two independent samples of rows (pyarrow.Tables), the smallest adjusted p-value first."""
    found = [one for column in columns for one in _column(before[column], after[column], column)]
    adjusted = holm(np.array([one.p_value for one in found]))
    together = [
        Drift(one.column, one.test, one.effect, one.p_value, float(p)) for one, p in zip(found, adjusted, strict=True)
    ]
    return tuple(sorted(together, key=lambda one: (one.p_adjusted, -one.effect)))


def drift_section(found: Sequence[Drift], n_before: int, n_after: int, readers: dict[str, list[str]]) -> Section:
    """Columns with a significant difference; `readers`: column -> models that read it."""
    shown = [one for one in found if one.p_adjusted < ALPHA]
    rows = tuple(
        (
            one.column,
            one.test,
            f"{one.effect:.3f}",
            "< 0.001" if one.p_adjusted < 0.001 else f"{one.p_adjusted:.3f}",
            "alarm" if one.alarm else "small",
            ", ".join(readers.get(one.column, [])),
        )
        for one in shown
    )
    note = (
        f"{len(found)} tests on {n_before:,} rows before and {n_after:,} new ones: if nothing had changed, the chance "
        f"of any row in this table would be at most {ALPHA:.0%} (Holm). An alarm also differs by more than {EFFECT:g}."
    )
    head = ("Column", "Test", "Difference", "p", "Verdict", "Read by")
    return Section(id="drift", heading="Columns whose distribution changed", columns=head, rows=rows, note=note)


def _column(before: Any, after: Any, column: str) -> list[Drift]:
    import pyarrow as pa
    import pyarrow.compute as pc

    gone = [np.asarray(pc.is_null(side, nan_is_null=True).to_numpy(), dtype=bool) for side in (before, after)]
    found = []
    if gone[0].any() or gone[1].any():
        counts = np.array([[side.sum(), (~side).sum()] for side in gone], dtype=np.float64)
        found.append(Drift(column, "missing", abs(float(gone[0].mean() - gone[1].mean())), chi_square(counts)))
    kind = before.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = [pc.cast(side, pa.float64(), safe=False).to_numpy() for side in (before, after)]
        distance, p_value = kolmogorov_smirnov(*(side[~np.isnan(side)] for side in numbers))
        return [*found, Drift(column, "Kolmogorov-Smirnov", distance, p_value)]
    old, new = texts(before)[~gone[0]], texts(after)[~gone[1]]
    counts = category_counts(old, new)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    return [*found, Drift(column, "chi-square", distance, chi_square(counts))]


def kolmogorov_smirnov(one: Floats, other: Floats) -> tuple[float, float]:
    """(largest distance of the two distribution functions, asymptotic p-value); ties make it conservative."""
    n, m = len(one), len(other)
    if not n or not m:
        return 0.0, 1.0
    values = np.unique(np.concatenate([one, other]))
    steps = [np.searchsorted(np.sort(side), values, side="right") / len(side) for side in (one, other)]
    distance = float(np.abs(steps[0] - steps[1]).max())
    return distance, float(kolmogorov(np.sqrt(n * m / (n + m)) * distance))


def chi_square(counts: Floats) -> float:
    """p-value that both rows of (2, k) counts have the same shares; cells that expect under 5 are put together."""
    total = counts.sum()
    if total == 0 or (counts.sum(axis=1) == 0).any():
        return 1.0
    expected_least = counts.sum(axis=0) * counts.sum(axis=1).min() / total
    few = expected_least < 5
    if few.any():
        counts = np.hstack([counts[:, ~few], counts[:, few].sum(axis=1, keepdims=True)])
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / total
    used = expected.min(axis=0) > 0
    if used.sum() < 2:
        return 1.0
    statistic = float(((counts - expected)[:, used] ** 2 / expected[:, used]).sum())
    return float(chdtrc(used.sum() - 1, statistic))


def category_counts(old: Any, new: Any) -> Floats:
    """(2, k) counts of the values of two samples; all but the most frequent 100 are put together."""
    names, code = np.unique(np.concatenate([old, new]), return_inverse=True)
    counts = np.stack([np.bincount(side, minlength=len(names)) for side in (code[: len(old)], code[len(old) :])])
    if len(names) > MOST_CATEGORIES:
        order = np.argsort(-counts.sum(axis=0), kind="stable")
        kept, rest = counts[:, order[:MOST_CATEGORIES]], counts[:, order[MOST_CATEGORIES:]]
        counts = np.hstack([kept, rest.sum(axis=1, keepdims=True)])
    return counts.astype(np.float64)
