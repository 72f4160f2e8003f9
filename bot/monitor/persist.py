"""An alarm only when k of the last n windows were raised, at a level that still costs the false alarms allowed.

Windows share their reference: one unlucky draw of it makes all of them look odd. With n reference and m current rows
the differences of two windows correlate by m / (n + m), so the count of raised windows is not binomial. Where labels
come late they share current rows too. The chance is taken for one normal difference tested on one side: several
columns, and both sides, correlate less in their tails.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SMALLEST = 1e-9


@dataclass(frozen=True)
class Rule:
    """`needed` raised windows of the last `of`, this one included."""

    needed: int = 1
    of: int = 1


def shared(reference_rows: int, current_rows: int, overlap: float = 0.0) -> float:
    """Correlation of the differences of two windows of `current_rows`, a share `overlap` of them the same, from one
    reference; 1 without reference rows.
    """
    every = max(reference_rows + current_rows, 1)
    return (overlap * reference_rows + current_rows) / every if reference_rows else 1.0


def chance(level: float, rule: Rule, correlation: float) -> float:
    """That an undrifted window has a p-value at or under `level`, and so have at least `needed` of the last `of`."""
    from scipy.special import bdtrc, ndtr, ndtri

    if rule.of == 1 or correlation >= 1:
        return level
    reference = np.linspace(-9, 9, 3001)
    weight = np.exp(-(reference**2) / 2)
    raised = ndtr((ndtri(level) + np.sqrt(correlation) * reference) / np.sqrt(1 - correlation))
    # it fires in a window that is itself raised, with enough others among those before
    others = bdtrc(rule.needed - 2, rule.of - 1, raised) if rule.needed > 1 else np.ones_like(raised)
    return float((raised * others * weight).sum() / weight.sum())


def level_for(allowed: float, rule: Rule, correlation: float) -> float:
    """The largest level of one window, at most 0.5, with which the rule fires with a chance of at most `allowed`."""
    low, high = SMALLEST, 0.5
    if chance(high, rule, correlation) <= allowed:
        return high
    for _ in range(60):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if chance(middle, rule, correlation) <= allowed else (low, middle)
    return low


def raised(p_values: Sequence[float], level: float, rule: Rule) -> int:
    """How many of the last `of` windows (oldest first, this one last) are at or under `level`."""
    return sum(one <= level for one in p_values[-rule.of :])
