"""What a drift test owes: its name, the columns it suits, and an effect with a p-value from counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Kind = Literal["numeric", "categorical"]


@dataclass(frozen=True)
class Test:
    """`judge(counts, pooled)`: counts (B, k) of B current windows and the pooled counts (k,) of both tables.

    Position 0 counts missing values. Gives (effect (B,), asymptotic p-value (B,)).
    """

    name: str
    kinds: frozenset[Kind]
    judge: Callable[[Floats, Floats], tuple[Floats, Floats]]


def shares(counts: Floats, pooled: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Current and reference shares (B, k), and rows of each (B,); an empty side has shares of zero."""
    other = pooled - counts
    m, n = counts.sum(axis=1), other.sum(axis=1)
    return counts / np.maximum(m, 1)[:, None], other / np.maximum(n, 1)[:, None], m, n


def grouped(counts: Floats, pooled: Floats, least: float = 5.0) -> tuple[Floats, Floats]:
    """Without missing values; cells in which the smaller side expects fewer than `least` are put together.

    Which cells depends on the rows of both sides, missing ones too, and on nothing that dealing rows changes: windows
    that were grouped in another way than the observed one could not be compared with it.
    """
    total, m = max(pooled.sum(), 1.0), float(counts.sum(axis=1).max(initial=0.0))
    counts, pooled = counts[:, 1:], pooled[1:]
    few = pooled * min(m, total - m) / total < least
    merged = np.hstack([counts[:, ~few], counts[:, few].sum(axis=1, keepdims=True)])
    whole = np.append(pooled[~few], pooled[few].sum())
    return merged[:, whole > 0], whole[whole > 0]
