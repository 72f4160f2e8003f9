"""Which sets of inputs are within one standard error of the best, from the scores and losses of validation rows."""

from __future__ import annotations

import numpy as np
import pytest

from bot.train.bar import (
    CEILING,
    RANKED_ANEW,
    SEARCHED,
    Trial,
    curve,
    is_within,
    scores_say_little,
    smallest_within,
    standard_error,
)

ROWS = 100


def a_trial(
    score: float,
    *,
    spread: float = 0.2,
    loss: float = 0.3,
    noise: float = 0.0,
    has_ceiling: bool = True,
    n_rows: int = 5_000,
):
    """One fold: `spread` is the standard deviation of a row's part in the score, `noise` that of its loss."""
    wave = np.resize([1.0, -1.0], ROWS)
    return Trial(score, spread * wave / ROWS, loss + noise * wave, has_ceiling, n_rows)


def table(**scores: float):
    """Trials of two folds by size, below the ceiling; the standard error of each score is 0.2 / sqrt(200) = 0.014."""
    return {int(size[1:]): [a_trial(score), a_trial(score)] for size, score in scores.items()}


def test_the_standard_error_comes_from_the_rows_of_all_folds():
    assert standard_error([a_trial(0.8)] * 2) == pytest.approx(0.2 / np.sqrt(2 * ROWS))


def test_without_parts_of_rows_the_standard_error_comes_from_the_folds():
    folds = [Trial(score, None, np.zeros(ROWS), True, 5_000) for score in (0.7, 0.8, 0.9)]
    assert standard_error(folds) == pytest.approx(0.1 / np.sqrt(3))


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [
        ({"n20": 0.80, "n10": 0.80, "n5": 0.79, "n2": 0.70}, 5),
        ({"n20": 0.80, "n10": 0.785, "n5": 0.80}, 5),  # the smallest of equals is the best, whatever lies above
        ({"n20": 0.80, "n10": 0.78, "n5": 0.795}, 20),  # 5 would pass, but 10 does not: luck
        ({"n20": 0.70, "n10": 0.80, "n5": 0.60}, 10),  # more inputs may be worse
        ({"n1": 0.80, "n20": 0.80}, 1),
    ],
)
def test_the_smallest_set_is_taken_above_which_every_set_passes(scores, chosen):
    assert smallest_within(table(**scores), RANKED_ANEW) == chosen


def test_at_most_is_obeyed_whatever_it_scores():
    assert smallest_within(table(n20=0.80, n10=0.80, n5=0.6), RANKED_ANEW, at_most=7) == 5


@pytest.mark.parametrize(
    ("bar", "score", "n_rows", "loss", "passes"),
    [
        (RANKED_ANEW, 0.999, 5_000, 0.0125, True),
        (RANKED_ANEW, 0.999, 5_000, 0.0135, False),
        (SEARCHED, 0.999, 5_000, 0.0110, True),
        (SEARCHED, 0.999, 5_000, 0.0125, False),
        (SEARCHED, 0.800, 500, 0.0110, True),
        (SEARCHED, 0.800, 500, 0.0125, False),
    ],
)
def test_where_scores_say_little_rows_are_compared_by_their_loss_in_pairs(bar, score, n_rows, loss, passes):
    """Scores that differ by 0.001 are within any error of each other; whether the rows lose tells the sets apart.

    Losses of the same row differ by 0.02, up or down: the standard error of the mean difference is 0.0014. A set that
    was searched for has to be nearer than one that each fold ranked without its validation rows.
    """
    large = [a_trial(score, loss=0.010, n_rows=n_rows)] * 2
    small = [a_trial(score - 0.001, loss=loss, noise=0.02, n_rows=n_rows)] * 2
    trials = {20: large, 5: small}
    assert scores_say_little(trials, bar)
    assert is_within(trials, 5, bar) is passes
    assert smallest_within(trials, bar) == (5 if passes else 20)


def test_a_small_loss_does_not_excuse_a_score_that_fell():
    trials = {20: [a_trial(0.8, n_rows=500)] * 2, 5: [a_trial(0.7, n_rows=500)] * 2}
    assert scores_say_little(trials, SEARCHED) and not is_within(trials, 5, SEARCHED)


def test_a_metric_without_a_ceiling_never_is_at_it():
    trials = {5: [a_trial(CEILING + 0.01, has_ceiling=False)] * 2}
    assert not scores_say_little(trials, RANKED_ANEW)


def test_the_curve_says_every_size_with_its_error_and_which_was_chosen():
    points = curve(table(n20=0.8, n5=0.79), 5)
    assert [(point.n_inputs, point.chosen) for point in points] == [(5, True), (20, False)]
    assert all(point.standard_error > 0 for point in points)
