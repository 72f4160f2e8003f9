"""Which sets of inputs are within one standard error of the best, from the scores and losses of validation rows."""

from __future__ import annotations

import numpy as np
import pytest

from bot.train.bar import (
    CEILING,
    RANKED_ANEW,
    SEARCHED,
    Trial,
    at_ceiling,
    curve,
    is_hopeless,
    is_within,
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
):
    """One fold: `spread` is the standard deviation of a row's part in the score, `noise` that of its loss."""
    wave = np.resize([1.0, -1.0], ROWS)
    return Trial(score, spread * wave / ROWS, loss + noise * wave, has_ceiling)


def table(**scores: float):
    """Trials of two folds by size, below the ceiling; the standard error of each score is 0.2 / sqrt(200) = 0.014."""
    return {int(size[1:]): [a_trial(score), a_trial(score)] for size, score in scores.items()}


def test_the_standard_error_comes_from_the_rows_of_all_folds():
    assert standard_error([a_trial(0.8)] * 2) == pytest.approx(0.2 / np.sqrt(2 * ROWS))


def test_without_parts_of_rows_the_standard_error_comes_from_the_folds():
    folds = [Trial(score, None, np.zeros(ROWS), True) for score in (0.7, 0.8, 0.9)]
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
    ("doubt", "loss", "passes"),
    [(RANKED_ANEW, 0.0125, True), (RANKED_ANEW, 0.0135, False), (SEARCHED, 0.0110, True), (SEARCHED, 0.0125, False)],
)
def test_at_the_ceiling_rows_are_compared_by_their_loss_in_pairs(doubt, loss, passes):
    """Scores of 0.999 and 0.998 are within any error of each other; whether the rows lose tells the sets apart.

    Losses of the same row differ by 0.02, up or down: the standard error of the mean difference is 0.0014. A set that
    was searched for has to be nearer than one that each fold ranked without its validation rows.
    """
    large = [a_trial(0.999, loss=0.010)] * 2
    small = [a_trial(0.998, loss=loss, noise=0.02)] * 2
    trials = {20: large, 5: small}
    assert at_ceiling(trials)
    assert is_within(trials, 5, doubt) is passes
    assert smallest_within(trials, doubt) == (5 if passes else 20)


def test_a_small_loss_does_not_excuse_a_score_that_fell():
    trials = {20: [a_trial(0.999)] * 2, 5: [a_trial(0.9)] * 2}
    assert at_ceiling(trials) and not is_within(trials, 5, SEARCHED)


def test_a_metric_without_a_ceiling_never_is_at_it():
    trials = {5: [a_trial(CEILING + 0.01, has_ceiling=False)] * 2}
    assert not at_ceiling(trials)


def test_the_search_goes_on_below_a_set_that_fails_narrowly_and_stops_below_a_hopeless_one():
    trials = table(n20=0.80, n10=0.78, n5=0.60)
    assert not is_within(trials, 10, RANKED_ANEW) and not is_hopeless(trials, 10, RANKED_ANEW)
    assert is_hopeless(trials, 5, RANKED_ANEW)


def test_the_curve_says_every_size_with_its_error_and_which_was_chosen():
    points = curve(table(n20=0.8, n5=0.79), 5)
    assert [(point.n_inputs, point.chosen) for point in points] == [(5, True), (20, False)]
    assert all(point.standard_error > 0 for point in points)
