"""Drift tests by themselves: their p-values are those of the textbook, whatever ties and missing values there are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bot.monitor.drift import TESTS, neyman


def counts(values: np.ndarray, support: np.ndarray) -> np.ndarray:
    return np.append(0.0, np.bincount(np.searchsorted(support, values), minlength=len(support)))


def test_of_two_values_neymans_test_is_chi_square():
    """Only one wave is left then, and its square is the chi-square statistic, but for (N - 1) / N."""
    one, other = np.array([70, 30]), np.array([40, 60])
    _, found = neyman.test.judge(np.array([[0.0, *one]]), np.array([0.0, *(one + other)]))
    statistic = stats.chi2_contingency([one, other], correction=False).statistic
    assert found[0] == pytest.approx(stats.chi2.sf(statistic * 199 / 200, 1), rel=1e-9)


def test_numbers_that_only_move_give_about_wilcoxons_p_value():
    generator = np.random.default_rng(0)
    support = np.arange(40.0)
    one, other = generator.integers(0, 38, 400) * 1.0, generator.integers(1, 40, 300) * 1.0
    cells = counts(one, support), counts(other, support)
    ranks = stats.rankdata(np.concatenate([one, other]))
    place = (ranks[:400].mean() - ranks.mean()) / np.sqrt(ranks.var(ddof=1) * (1 / 400 - 1 / 700))
    spread = (ranks - ranks.mean()) ** 2
    coefficient = np.cov(spread, ranks)[0, 1] / ranks.var(ddof=1)
    spread = spread - coefficient * (ranks - ranks.mean())
    width = (spread[:400].mean() - spread.mean()) / np.sqrt(spread.var(ddof=1) * (1 / 400 - 1 / 700))
    _, found = neyman.test.judge(cells[0][None], cells[0] + cells[1])
    assert found[0] == pytest.approx(stats.chi2.sf(place**2 + width**2, 2), rel=1e-6)


@pytest.mark.parametrize("test", TESTS, ids=lambda one: one.name)
@pytest.mark.parametrize("support", [1, 2, 3, 30])
def test_p_values_of_undrifted_counts_are_spread_evenly(test, support):
    """Not smaller than they say, so that no column outshouts the others; a column of one value says nothing."""
    generator = np.random.default_rng(support)
    pooled = np.append(60.0, np.full(support, 540.0 / support).round())
    rows = np.repeat(np.arange(support + 1), pooled.astype(int))
    current = np.array([counts_of(generator.permutation(rows)[:200], support + 1) for _ in range(2000)])
    effect, found = test.judge(current, pooled)
    assert found.shape == effect.shape == (2000,) and (effect >= 0).all() and (effect <= 1).all()
    for level in (0.05, 0.2):
        assert np.mean(found <= level) <= level + 4 * np.sqrt(level / 2000)
    assert test.name == "missing" or (support == 1) == bool((found == 1).all())


@pytest.mark.parametrize("test", TESTS, ids=lambda one: one.name)
def test_a_window_is_judged_alike_alone_and_among_others(test):
    """The observed window is judged alone and the dealt ones in blocks: a difference would be false alarms."""
    generator = np.random.default_rng(0)
    rows = np.concatenate([np.zeros(300, int), generator.zipf(1.5, 700).clip(1, 40)])
    pooled = counts_of(rows, 41)
    windows = np.array([counts_of(generator.permutation(rows)[:150], 41) for _ in range(200)])
    _, together = test.judge(windows, pooled)
    alone = [test.judge(one[None], pooled)[1][0] for one in windows]
    assert together == pytest.approx(alone, rel=1e-9)


def counts_of(codes: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(codes, minlength=size).astype(float)
