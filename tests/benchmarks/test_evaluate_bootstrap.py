"""Paired intervals of 1,000,000 rows with 2,000 resamples against scipy.stats.bootstrap, in one run.

scipy would take minutes, so it draws few resamples here and its time is scaled up: its cost is linear in the number of
resamples (each draws n rows and computes the statistic). Its interval is compared at 20,000 rows, where it can finish.
"""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from bot.evaluate.interval import compare
from bot.evaluate.metrics import METRICS
from bot.evaluate.resample import Resampler, Settings
from bot.evaluate.rows import Rows, Scores

RESAMPLES, SCIPYS, ATTEMPTS = 2000, 4, 3
TIMES_FASTER = 20


def world(n: int) -> tuple[Rows, Scores, Scores]:
    generator = np.random.default_rng(0)
    truth = (generator.random(n) < 0.2).astype(np.int64)
    scored = []
    for apart in (2.0, 1.9):
        chance = 1 / (1 + np.exp(-(apart * truth - 2 + generator.normal(size=n))))
        scored.append(Scores((chance >= 0.4).astype(np.int64), np.stack([1 - chance, chance], axis=1)))
    return Rows("binary", truth, ("no", "yes")), scored[0], scored[1]


def f1(truth: np.ndarray, said: np.ndarray, axis: int = -1) -> np.ndarray:
    both = (truth & said).sum(axis=axis)
    return 2 * both / (truth.sum(axis=axis) + said.sum(axis=axis))


def f1_difference(truth, one, other, axis: int = -1) -> np.ndarray:
    return f1(truth, one, axis) - f1(truth, other, axis)


def mean_difference(one, other, axis: int = -1) -> np.ndarray:
    return one.mean(axis=axis) - other.mean(axis=axis)


def scipys(metric: str, rows: Rows, one: Scores, other: Scores, resamples: int, method: str = "percentile"):
    if metric == "f1":
        data, statistic = (rows.truth, one.predicted, other.predicted), f1_difference
    else:
        losses = [METRICS[metric].moments(rows, scores)[:, 0] for scores in (one, other)]
        data, statistic = tuple(losses), mean_difference
    return stats.bootstrap(
        data, statistic, n_resamples=resamples, paired=True, vectorized=True, batch=1, method=method, rng=0
    ).confidence_interval


@pytest.mark.parametrize("metric", ["f1", "log_loss"])
def test_a_million_rows_take_a_twentieth_of_scipys_time(metric: str) -> None:
    rows, one, other = world(1_000_000)
    ours = min(_seconds(lambda: compare(METRICS[metric], one, other, _fresh(rows))) for _ in range(ATTEMPTS))
    start = time.perf_counter()
    scipys(metric, rows, one, other, SCIPYS)
    theirs = (time.perf_counter() - start) * RESAMPLES / SCIPYS
    print(f"{metric}: {ours:.3f} s against {theirs:.1f} s, {theirs / ours:.0f} times")
    assert theirs / ours >= TIMES_FASTER


@pytest.mark.parametrize("metric", ["f1", "log_loss"])
def test_the_interval_is_scipys(metric: str) -> None:
    rows, one, other = world(20_000)
    ours = compare(METRICS[metric], one, other, _fresh(rows))
    low, high = scipys(metric, rows, one, other, RESAMPLES)
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.05 * (high - low))


def test_memory_stays_bounded() -> None:
    """A million rows and 2,000 resamples in at most ten numbers a row beyond the data."""
    rows, one, other = world(1_000_000)
    tracemalloc.start()
    for metric in ("f1", "roc_auc", "log_loss"):
        compare(METRICS[metric], one, other, _fresh(rows))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 250 * 1024 * 1024


def _fresh(rows: Rows) -> Resampler:
    return Resampler(rows, Settings(resamples=RESAMPLES))


def _seconds(run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
