"""A study is simulated again and again; its cells count how often something was so, against what is promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta


@dataclass(frozen=True)
class Count:
    """Of so many repeats that said something, `hits` were so; `untold` said that they cannot tell."""

    n: int = 0
    hits: int = 0
    untold: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.n + other.n, self.hits + other.hits, self.untold + other.untold)

    @property
    def rate(self) -> float:
        """Share of hits; NaN without a repeat that said something."""
        return self.hits / self.n if self.n else float("nan")

    @property
    def error(self) -> float:
        """Binomial standard error of the rate."""
        return float(np.sqrt(self.rate * (1 - self.rate) / self.n)) if self.n else float("nan")

    def bounds(self, level: float) -> tuple[float, float]:
        """Clopper and Pearson's interval of the rate, wrong with probability `level`."""
        low = 0.0 if self.hits == 0 else float(beta.ppf(level / 2, self.hits, self.n - self.hits + 1))
        high = 1.0 if self.hits == self.n else float(beta.ppf(1 - level / 2, self.hits + 1, self.n - self.hits))
        return low, high


@dataclass(frozen=True)
class Study:
    """`run(generator, repeats)` gives the counts of its cells by name. The rate must lie within the promise."""

    topic: str
    name: str
    promise: tuple[float, float]
    run: Callable[[np.random.Generator, int], dict[str, Count]]


def verdict(count: Count, promise: tuple[float, float], level: float) -> str:
    """`holds` unless the interval of the rate lies outside the promise: then `too low` or `too high`."""
    if not count.n:
        return "cannot tell"
    low, high = count.bounds(level)
    return "too low" if high < promise[0] else "too high" if low > promise[1] else "holds"
