"""A value and a difference of two values, with their bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scipy.special import ndtr


@dataclass(frozen=True)
class Estimate:
    """A value with its bounds and standard error; all but `value` None when no interval is defined."""

    value: float
    low: float | None
    high: float | None
    error: float | None
    method: str


@dataclass(frozen=True)
class Difference:
    """Candidate minus champion. `error` is the standard error, `p_value` two-sided against no difference."""

    candidate: float
    champion: float
    difference: float
    low: float
    high: float
    error: float
    p_value: float
    method: str

    def with_p_value(self, p_value: float, method: str) -> Difference:
        """The same with the p-value of another test."""
        return replace(self, p_value=p_value, method=method)


def two_sided(difference: float, error: float) -> float:
    """p-value of a normal statistic; 1 when nothing differs, 0 when a difference has no error."""
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return float(2 * ndtr(-abs(difference) / error))
