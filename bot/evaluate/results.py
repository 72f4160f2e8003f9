"""The p-value of a difference."""

from __future__ import annotations

from scipy.special import ndtr


def two_sided(difference: float, error: float) -> float:
    """p-value of a normal statistic; 1 when nothing differs, 0 when a difference has no error."""
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return float(2 * ndtr(-abs(difference) / error))
