"""Scores, their standard errors, thresholds and the bar of selection, against slower ways to the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as m

from bot.specs.metrics import known_metrics
from bot.specs.outputs import Outputs
from bot.train.bar import RANKED_ANEW, Trial, is_within, smallest_within, standard_error
from bot.train.scoring import scorer_for
from bot.train.threshold import best_threshold
from tests.train.small import a_spec

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 2, 400)
SCORE = np.clip(0.5 + 0.3 * (TRUTH - 0.5) + 0.2 * RNG.normal(size=400), 0.01, 0.99)
BINARY = Outputs(None, np.column_stack([1 - SCORE, SCORE]))
NUMBERS = TRUTH + RNG.normal(size=400)
VALUES = Outputs(NUMBERS + 0.3 * RNG.normal(size=400), None)


@pytest.mark.parametrize("name", known_metrics("binary"))
def test_every_binary_metric_has_a_score_where_more_is_better(name):
    cost = ', also: [cost], cost: {"no": {"yes": 1}, "yes": {"no": 3}}'
    scorer = scorer_for(a_spec(metrics=f"{{primary: log_loss{cost}}}"), name, ("no", "yes"))
    perfect = Outputs(None, np.eye(2)[TRUTH])
    assert scorer.score(TRUTH, perfect) > scorer.score(TRUTH, BINARY)


@pytest.mark.parametrize("name", [*known_metrics("regression"), "pinball_0.9"])
def test_every_regression_metric_has_a_score_where_more_is_better(name):
    spec = a_spec(task="regression", estimator="Ridge", metrics="mae")
    scorer = scorer_for(spec, name)
    assert scorer.score(NUMBERS, Outputs(NUMBERS, None)) > scorer.score(NUMBERS, VALUES)


@pytest.mark.parametrize("name", ["roc_auc", "accuracy", "log_loss", "brier"])
def test_the_standard_error_of_a_score_is_that_of_the_bootstrap(name):
    scorer = scorer_for(a_spec(), name)
    draws = np.random.default_rng(1).integers(0, 400, (400, 400))
    values = [scorer.score(TRUTH[i], Outputs(None, BINARY.probabilities[i])) for i in draws]
    closed = np.sqrt(np.sum(scorer.influence(TRUTH, BINARY) ** 2))
    assert closed == pytest.approx(np.std(values), rel=0.15)


def test_metrics_without_a_closed_form_say_so():
    assert scorer_for(a_spec(), "f1").influence(TRUTH, BINARY) is None


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.2, 0.4, 0.5, 0.7, 0.9])), min_size=4, max_size=30),
    st.sampled_from(["accuracy", "balanced_accuracy", "f1", "mcc"]),
)
def test_no_threshold_beats_the_tuned_one(rows, metric):
    truth, score = np.array([int(t) for t, _ in rows]), np.array([s for _, s in rows])
    if truth.min() == truth.max():
        return
    measure = {
        "accuracy": m.accuracy_score,
        "balanced_accuracy": m.balanced_accuracy_score,
        "f1": lambda a, b: m.f1_score(a, b, zero_division=0),
        "mcc": m.matthews_corrcoef,
    }[metric]
    tuned = best_threshold(truth, score, metric)
    best = max(measure(truth, (score >= cut).astype(int)) for cut in (0.05, 0.15, 0.3, 0.45, 0.6, 0.8))
    assert measure(truth, (score >= tuned).astype(int)) >= best - 1e-9


def trials(*scores: float, noise: float, n: int = 2000) -> list[Trial]:
    rng = np.random.default_rng(3)
    parts = rng.normal(size=(len(scores), n)) * 0.01 / np.sqrt(n)
    return [
        Trial(score, part.astype(np.float32), rng.normal(1, noise, n).astype(np.float32), True, n)
        for score, part in zip(scores, parts, strict=True)
    ]


def test_the_smallest_set_is_within_one_standard_error_of_the_best():
    table = {
        size: [Trial(score, one.influence, one.loss, True, 2000) for one in trials(0.8, 0.8, noise=0.1)]
        for size, score in ((10, 0.80), (5, 0.7995), (3, 0.797), (2, 0.75))
    }
    assert standard_error(table[10]) == pytest.approx(0.01 / np.sqrt(2), rel=0.1)
    assert smallest_within(table, RANKED_ANEW) == 3
    assert not is_within(table, 2, RANKED_ANEW)
    assert smallest_within(table, RANKED_ANEW, at_most=2) == 2


def test_at_the_ceiling_the_rows_losses_decide():
    rng = np.random.default_rng(0)
    base = rng.exponential(size=2000).astype(np.float32)
    one = [Trial(0.999, np.zeros(2000, np.float32), base, True, 2000)]
    worse = [Trial(0.999, np.zeros(2000, np.float32), base + rng.random(2000).astype(np.float32) * 0.1, True, 2000)]
    noise = rng.normal(size=2000) * 0.01
    same = [Trial(0.998, np.zeros(2000, np.float32), base + (noise - noise.mean()).astype(np.float32), True, 2000)]
    assert smallest_within({9: one, 4: worse}, RANKED_ANEW) == 9
    assert smallest_within({9: one, 4: same}, RANKED_ANEW) == 4
