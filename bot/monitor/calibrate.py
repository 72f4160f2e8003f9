"""What drifted, at a false-alarm rate that holds over all columns and tests: permutation of whole rows (min-p).

Westfall & Young (1993), single step, over parts that are put on one scale as in Pesarin's nonparametric combination
(2001). Rows keep their columns together, so that dependent columns cost nothing. The p-values of the tests are only
that scale; what is alarming is decided by how small the smallest of them gets when rows are dealt to the two tables at
random, in the sizes that the tables have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.monitor.classifier import apart, directions, separation
from bot.monitor.coding import Coder, Codes
from bot.monitor.deal import Dealer, together
from bot.monitor.drift import TESTS
from bot.monitor.drift.interface import Floats, Test
from bot.monitor.scale import beta, false_discovery, gamma, normal, rank, ranks

BLOCK = 50
LEAST, MOST = 999, 9_999
# How the level is divided: single columns, the evidence of all columns added up, the domain classifier.
SHARES = (0.6, 0.15, 0.25)
TINY = 1e-300

Plan = Sequence[tuple[int, Test]]


@dataclass(frozen=True)
class Found:
    """One test of one column: p-value adjusted for all that was judged, and the column's false discovery rate."""

    column: str
    test: str
    effect: float
    p_adjusted: float
    q: float


@dataclass(frozen=True)
class Together:
    """One test of all columns together."""

    test: str
    effect: float
    p_adjusted: float


@dataclass(frozen=True)
class Counted:
    """Codes of the rows kept, (n, F) and (m, F), and counts of all rows of both tables, (k,) a column."""

    sampled: tuple[Codes, Codes]
    counts: tuple[Sequence[Floats], Sequence[Floats]]


@dataclass(frozen=True)
class Scores:
    """Row 0 is what was observed, the others are rows dealt at random: p-values (1 + B, T) and `apart` (1 + B,)."""

    effects: Floats
    p_values: Floats
    apart: Floats
    separation: float


def permutations_for(alpha: float) -> int:
    """Enough that ten of them lie beyond the level, within bounds of time."""
    return int(np.clip(np.ceil(10 / alpha) - 1, LEAST, MOST))


def drifted(
    coders: Sequence[Coder], rows: Counted, weights: Floats, permutations: int, seed: int = 0
) -> tuple[list[Found], list[Together]]:
    """`weights` (F,): how much of the level a column gets, as against the others."""
    plan = [(number, test) for number, one in enumerate(coders) for test in TESTS if one.kind in test.kinds]
    scores = _scores(coders, plan, rows, permutations, seed)
    column = np.array([number for number, _ in plan])
    logs = np.log(np.maximum(scores.p_values, TINY))
    columns = np.stack([logs[:, column == number].min(axis=1) for number in range(len(coders))], axis=1)
    costs = np.log(weights / weights.mean())
    singles, single = beta((columns - costs).min(axis=1), logs[0] - costs[column])
    parts = [singles, gamma(-columns.sum(axis=1)), normal(scores.apart)]
    least = np.min([part / share for part, share in zip(parts, SHARES, strict=True)], axis=0)
    q = false_discovery(np.array([ranks(columns[:, number])[0] for number in range(len(coders))]))
    found = [
        Found(coders[number].column, test.name, float(effect), rank(own / SHARES[0], least), float(q[number]))
        for (number, test), effect, own in zip(plan, scores.effects, single, strict=True)
    ]
    sizes = ("all columns", float(scores.effects.max())), ("domain classifier", scores.separation)
    return found, [
        Together(name, size, rank(part[0] / share, least))
        for (name, size), part, share in zip(sizes, parts[1:], SHARES[1:], strict=True)
    ]


def _scores(coders: Sequence[Coder], plan: Plan, rows: Counted, permutations: int, seed: int) -> Scores:
    observed = [
        test.judge(rows.counts[1][number][None, :], rows.counts[0][number] + rows.counts[1][number])
        for number, test in plan
    ]
    dealer = Dealer(coders, rows.sampled, together(rows.sampled, seed), seed)
    marks = directions(dealer.together, coders)
    p_values = [np.array([[float(p_value[0]) for _, p_value in observed]])]
    lying = [apart(marks, dealer.current[:, None])]
    for begin in range(0, permutations, BLOCK):
        counts, current = dealer.deal(min(BLOCK, permutations - begin))
        p_values.append(
            np.stack([test.judge(counts[number], dealer.pooled[number])[1] for number, test in plan], axis=1)
        )
        lying.append(apart(marks, current))
    effects = np.array([float(effect[0]) for effect, _ in observed])
    return Scores(effects, np.concatenate(p_values), np.concatenate(lying), separation(marks, dealer.current))
