"""Rows dealt to the two tables at random, in their own sizes: counts of every column, and who went where.

Rows that the domain classifier sees are dealt among themselves, and so are the others. That is as exact as dealing all
of them, since which rows it sees was drawn without a look at them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.monitor.coding import Coder, Codes
from bot.monitor.drift.interface import Floats

SEEN_TOGETHER = 8_000

Flags = NDArray[np.bool_]


def together(sampled: tuple[Codes, Codes], seed: int) -> tuple[Flags, Flags]:
    """Which rows of both tables the domain classifier sees: at most half of them from the larger side."""
    n, m = (len(one) for one in sampled)
    smaller = min(n, m, SEEN_TOGETHER // 2)
    generator = np.random.default_rng([seed, 1])
    return _drawn(n, SEEN_TOGETHER - min(m, smaller), generator), _drawn(m, SEEN_TOGETHER - min(n, smaller), generator)


class Dealer:
    """Deals the rows of two tables; `together` are codes (N, F) and `current` (N,) the true sides of the rows seen."""

    def __init__(
        self, coders: Sequence[Coder], sampled: tuple[Codes, Codes], seen: tuple[Flags, Flags], seed: int
    ) -> None:
        self._starts = np.cumsum([0, *(one.size for one in coders)])
        strata = [[side[flags] for side, flags in zip(sampled, part, strict=True)] for part in (seen, _others(seen))]
        self.together = np.concatenate(strata[0])
        self.current = np.arange(len(self.together)) >= len(strata[0][0])
        self._cells = [np.concatenate(one).astype(np.int64) + self._starts[:-1] for one in strata]
        self._sizes = [len(one[1]) for one in strata]
        self._totals = [self._count(cells) for cells in self._cells]
        self.pooled = self._split(self._totals[0] + self._totals[1])
        self._generator = np.random.default_rng(seed)

    def deal(self, times: int) -> tuple[list[Floats], Flags]:
        """Counts of the current table (times, k) a column, and which rows seen together are current (N, times)."""
        counts = np.zeros((times, self._starts[-1]))
        current = np.zeros((len(self.together), times), dtype=np.bool_)
        for number in range(times):
            chosen = [
                self._generator.permutation(len(cells))[:size]
                for cells, size in zip(self._cells, self._sizes, strict=True)
            ]
            current[chosen[0], number] = True
            counts[number] = sum(self._counted(stratum, which) for stratum, which in enumerate(chosen))
        return self._split(counts), current

    def _counted(self, stratum: int, chosen: NDArray[np.int64]) -> Floats:
        cells = self._cells[stratum]
        if 2 * len(chosen) <= len(cells):
            return self._count(cells[chosen])
        left = np.ones(len(cells), dtype=np.bool_)
        left[chosen] = False
        return self._totals[stratum] - self._count(cells[left])

    def _count(self, cells: NDArray[np.int64]) -> Floats:
        return np.bincount(cells.ravel(), minlength=self._starts[-1]).astype(np.float64)

    def _split(self, counts: Floats) -> list[Floats]:
        return [counts[..., one:other] for one, other in zip(self._starts[:-1], self._starts[1:], strict=True)]


def _drawn(rows: int, most: int, generator: np.random.Generator) -> Flags:
    flags = np.zeros(rows, dtype=np.bool_)
    flags[generator.permutation(rows)[:most]] = True
    return flags


def _others(seen: tuple[Flags, Flags]) -> tuple[Flags, Flags]:
    return ~seen[0], ~seen[1]
