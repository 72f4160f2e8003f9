"""Which columns drifted, at a false-alarm rate that holds over all of them: permutation of whole rows (min-p).

Westfall & Young (1993), single step. Rows keep their columns together, so that dependent columns cost nothing. The
p-values of the tests are only a common scale; what is alarming is decided by how small the smallest of them gets when
rows are dealt to the two tables at random, in the sizes that the tables have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.monitor.coding import Coder, Codes
from bot.monitor.drift import TESTS
from bot.monitor.drift.interface import Floats, Test

BLOCK = 50
LEAST, MOST = 999, 9_999


@dataclass(frozen=True)
class Found:
    """One test of one column, with its p-value adjusted for all tests of all columns."""

    column: str
    test: str
    effect: float
    p_adjusted: float


def permutations_for(alpha: float) -> int:
    """Enough that ten of them lie beyond the level, within bounds of time."""
    return int(np.clip(np.ceil(10 / alpha) - 1, LEAST, MOST))


def drifted(
    coders: Sequence[Coder],
    counts: tuple[Sequence[Floats], Sequence[Floats]],
    sampled: tuple[Codes, Codes],
    permutations: int,
    seed: int = 0,
) -> list[Found]:
    """`counts`: reference and current, (k,) a column, of all rows; `sampled`: codes (n, F) and (m, F) of rows kept."""
    plan = [(number, test) for number, one in enumerate(coders) for test in TESTS if one.kind in test.kinds]
    observed = [test.judge(counts[1][number][None, :], counts[0][number] + counts[1][number]) for number, test in plan]
    least = smallest(coders, plan, sampled, permutations, seed)
    return [
        Found(coders[number].column, test.name, float(effect[0]), _adjusted(float(p_value[0]), least))
        for (number, test), (effect, p_value) in zip(plan, observed, strict=True)
    ]


def smallest(
    coders: Sequence[Coder],
    plan: Sequence[tuple[int, Test]],
    sampled: tuple[Codes, Codes],
    permutations: int,
    seed: int,
) -> Floats:
    """(permutations,) the smallest p-value over all tests when rows are dealt at random."""
    starts = np.cumsum([0, *(one.size for one in coders)])
    cells = np.concatenate(sampled).astype(np.int64) + starts[:-1]
    pooled = np.bincount(cells.ravel(), minlength=starts[-1]).astype(np.float64)
    generator, m = np.random.default_rng(seed), len(sampled[1])
    out = np.ones(permutations)
    for begin in range(0, permutations, BLOCK):
        size = min(BLOCK, permutations - begin)
        dealt = np.stack([_deal(cells, pooled, m, generator) for _ in range(size)])
        for number, test in plan:
            part = slice(starts[number], starts[number + 1])
            p_value = test.judge(dealt[:, part], pooled[part])[1]
            out[begin : begin + size] = np.minimum(out[begin : begin + size], p_value)
    return out


def _deal(
    cells: np.ndarray[tuple[int, int], np.dtype[np.int64]], pooled: Floats, m: int, generator: np.random.Generator
) -> Floats:
    n = len(cells) - m
    few = generator.permutation(len(cells))[: min(n, m)]
    counted = np.bincount(cells[few].ravel(), minlength=len(pooled)).astype(np.float64)
    return counted if m <= n else pooled - counted


def _adjusted(p_value: float, least: Floats) -> float:
    return float((1 + (least <= p_value).sum()) / (len(least) + 1))
