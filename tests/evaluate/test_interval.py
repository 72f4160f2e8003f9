"""Intervals against the values of other packages, and against simulation.

Reference data: scikit-learn's breast cancer, half of it held out (stratified, seed 0), logistic regression on scaled
columns against a random forest of 100 trees with seed 0; 285 test rows.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bot.evaluate.holm import holm
from bot.evaluate.interval import compare, estimate
from bot.evaluate.mcnemar import mcnemar, mcnemar_exact, mcnemar_mid_p
from bot.evaluate.metrics import METRICS
from bot.evaluate.resample import Resampler, Settings
from bot.evaluate.rows import Rows, Scores
from bot.evaluate.tails import two_sided


@pytest.fixture(scope="module")
def reference() -> tuple[Rows, Scores, Scores]:
    x, y = load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.5, stratify=y, random_state=0)
    one = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x_train, y_train)
    other = RandomForestClassifier(100, random_state=0).fit(x_train, y_train)
    clipped = np.clip(other.predict_proba(x_test), 0.005, 0.995)
    rows = Rows("binary", y_test, ("malignant", "benign"))
    return rows, Scores(one.predict(x_test), one.predict_proba(x_test)), Scores(other.predict(x_test), clipped)


def test_delong_is_that_of_proc(reference) -> None:
    """R pROC 1.18.0, roc.test(method="delong", paired=TRUE)."""
    rows, one, other = reference
    found = compare(METRICS["roc_auc"], one, other, Resampler(rows, Settings()))
    assert found.candidate == pytest.approx(0.997417518709813, abs=1e-14)
    assert found.champion == pytest.approx(0.985427427005376, abs=1e-14)
    assert found.error == pytest.approx(0.00657343155751722, abs=1e-14)
    assert found.difference / found.error == pytest.approx(1.82402320607203, abs=1e-11)
    assert two_sided(found.difference, found.error) == pytest.approx(0.0681485640026594, abs=1e-12)
    assert found.p_value > 0.0682 and found.df < 10  # a handful of rows carry it: pROC's normal tails are too thin here
    _, influence = METRICS["roc_auc"].influence(rows, one)
    assert (influence**2).sum() / len(rows) ** 2 == pytest.approx(2.78587479728204e-06, rel=1e-12)


def test_delong_keeps_its_normal_interval_where_it_holds() -> None:
    generator = np.random.default_rng(0)
    rows, (one, other) = simulated(generator, 3000, 0.3, 1.2, 1.0)
    found = compare(METRICS["roc_auc"], one, other, Resampler(rows, Settings()))
    assert found.method == "DeLong"
    assert found.high - found.low == pytest.approx(2 * 1.959963984540054 * found.error, rel=0.01)


def test_mcnemar_is_that_of_statsmodels_mlxtend_and_r(reference) -> None:
    """statsmodels 0.15.0 mcnemar(exact=True) and mlxtend 0.25.0 agree on the exact p-value of [[267, 12], [2, 4]]."""
    rows, one, other = reference
    right, theirs = one.predicted == rows.truth, other.predicted == rows.truth
    assert (int((right & ~theirs).sum()), int((theirs & ~right).sum())) == (12, 2)
    assert mcnemar_exact(12, 2) == pytest.approx(0.012939453125, abs=1e-15)
    assert mcnemar_mid_p(12, 2) == pytest.approx(0.00738525390625, abs=1e-14)
    found = compare(METRICS["accuracy"], one, other, Resampler(rows, Settings()))
    assert (found.candidate, found.champion) == pytest.approx((0.9789473684, 0.9438596491))
    assert found.p_value == mcnemar(12, 2) == mcnemar_exact(12, 2)


@pytest.mark.parametrize(("one", "other"), [(0, 0), (5, 5), (1, 0), (40, 12), (3000, 2950)])
def test_mcnemar_agrees_with_the_binomial_test(one: int, other: int) -> None:
    expected = stats.binomtest(one, one + other).pvalue if one + other else 1.0
    assert mcnemar_exact(one, other) == pytest.approx(expected)
    assert 0 < mcnemar_mid_p(one, other) <= 1


def test_log_loss_difference_is_the_paired_t_of_r_and_scipy(reference) -> None:
    """scipy 1.17.1: mean, standard error, percentile interval [-.1047, -.0444] and BCa [-.1143, -.0489].

    A dozen rows carry the variance, so ours has Student's tails, symmetric ones.
    """
    rows, one, other = reference
    drawn = compare(METRICS["log_loss"], one, other, Resampler(rows, Settings(resamples=10_000)))
    assert drawn.difference == pytest.approx(-0.07128832139458521, abs=1e-14)
    assert drawn.error == pytest.approx(0.015344358920701495, rel=0.02)
    assert -0.1143 < drawn.low < -0.1047 and -0.0444 < drawn.high < -0.0300
    analytic = compare(METRICS["log_loss"], one, other, Resampler(rows, Settings(exact_rows=0)))
    assert analytic.error == pytest.approx(0.015344358920701495, rel=1e-6)


def test_accuracy_and_f1_differences_are_those_of_scipys_paired_bootstrap(reference) -> None:
    """scipy 1.17.1: accuracy [.0105, .0596], F1 [.0080, .0498]. Few rows are wrong, so ours may reach a row further."""
    rows, one, other = reference
    resampler = Resampler(rows, Settings(resamples=10_000))
    accuracy, f1 = (compare(METRICS[name], one, other, resampler) for name in ("accuracy", "f1"))
    assert (accuracy.low, accuracy.high) == pytest.approx((0.0105, 0.0596), abs=1.5 / len(rows))
    assert (f1.low, f1.high) == pytest.approx((0.0080, 0.0498), abs=1.5 / len(rows))


def simulated(generator, n: int, share: float, one: float, other: float) -> tuple[Rows, tuple[Scores, Scores]]:
    """Two models whose scores are correlated; `one` and `other` are how far the classes lie apart."""
    truth = (generator.random(n) < share).astype(np.int64)
    both, found = generator.normal(size=n), []
    for apart in (one, other):
        score = np.log(share / (1 - share)) + apart * (truth - 0.5) + 0.42 * both + 0.56 * generator.normal(size=n)
        chance = 1 / (1 + np.exp(-score))
        cut = 0.5 if share > 0.3 else 1.6 * share
        found.append(Scores((chance >= cut).astype(np.int64), np.stack([1 - chance, chance], axis=1)))
    return Rows("binary", truth, ("no", "yes")), (found[0], found[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "share", "names"),
    [(200, 0.4, ("accuracy", "roc_auc", "log_loss")), (600, 0.05, ("f1", "roc_auc", "brier"))],
    ids=["balanced", "rare class"],
)
def test_a_95_percent_interval_covers_95_percent_of_2000_test_sets(n: int, share: float, names: tuple) -> None:
    sets, one, other = 2000, 1.6, 1.2
    rows, models = simulated(np.random.default_rng(1), 3_000_000, share, one, other)
    whole = Resampler(rows, Settings(resamples=200))
    truth = {}
    for name in names:
        theirs = [estimate(METRICS[name], scores, whole).value for scores in models]
        truth[name] = (theirs[0], theirs[0] - theirs[1])
    hits = dict.fromkeys([(name, kind) for name in names for kind in ("single", "paired")], 0)
    generator = np.random.default_rng(2)
    for number in range(sets):
        rows, models = simulated(generator, n, share, one, other)
        resampler = Resampler(rows, Settings(resamples=300, seed=number))
        for name in names:
            alone = estimate(METRICS[name], models[0], resampler)
            paired = compare(METRICS[name], *models, resampler)
            hits[name, "single"] += alone.low <= truth[name][0] <= alone.high
            hits[name, "paired"] += paired.low <= truth[name][1] <= paired.high
    covered = {key: count / sets for key, count in hits.items()}
    assert all(0.93 <= share <= 0.97 for share in covered.values()), covered


def test_groups_widen_the_interval_to_that_of_the_groups() -> None:
    """300 groups of ten rows that agree say as much as 300 rows."""
    generator = np.random.default_rng(3)
    few, (one, _) = simulated(generator, 300, 0.4, 1.6, 1.2)
    code = np.repeat(np.arange(300), 10)
    many = Rows("binary", few.truth[code], few.classes, groups=code)
    copied = Scores(one.predicted[code], one.probabilities[code])
    for name in ("accuracy", "log_loss", "roc_auc"):
        alone = estimate(METRICS[name], one, Resampler(few, Settings()))
        grouped = estimate(METRICS[name], copied, Resampler(many, Settings()))
        assert grouped.value == pytest.approx(alone.value)
        assert grouped.error == pytest.approx(alone.error, rel=0.08)


def test_strata_keep_the_share_of_each_class() -> None:
    """With fixed class counts, accuracy of a model that is right on one class only does not vary at all."""
    truth = np.repeat([0, 1], [900, 600])
    rows = Rows("binary", truth, ("no", "yes"), strata=True)
    never = Scores(np.zeros(1500, dtype=np.int64))
    fixed = estimate(METRICS["accuracy"], never, Resampler(rows, Settings()))
    free = estimate(METRICS["accuracy"], never, Resampler(Rows("binary", truth, ("no", "yes")), Settings()))
    assert fixed.error < 0.2 * free.error and "stratified" in fixed.method


def test_blocks_of_many_groups_keep_the_standard_error() -> None:
    generator = np.random.default_rng(5)
    rows, (one, _) = simulated(generator, 40_000, 0.4, 1.6, 1.2)
    weighted = Rows("binary", rows.truth, rows.classes, weights=np.ones(len(rows)))
    blocks = estimate(METRICS["f1"], one, Resampler(weighted, Settings()))
    exact = estimate(METRICS["f1"], one, Resampler(rows, Settings()))
    assert blocks.error == pytest.approx(exact.error, rel=0.08)


def test_the_same_model_differs_by_exactly_nothing() -> None:
    rows, (one, _) = simulated(np.random.default_rng(6), 500, 0.4, 1.6, 1.2)
    found = compare(METRICS["f1"], one, one, Resampler(rows, Settings()))
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_no_difference_seen_on_few_rows_is_not_no_difference() -> None:
    """Equal labels on 40 rows, with other probabilities: the models may still differ on one row in twenty."""
    rows, (one, _) = simulated(np.random.default_rng(7), 40, 0.4, 1.6, 1.2)
    other = Scores(one.predicted, one.probabilities * 0.9 + 0.05)
    found = compare(METRICS["accuracy"], one, other, Resampler(rows, Settings()))
    assert found.difference == 0 and found.high > 0.01


def test_holm_is_that_of_r() -> None:
    """R: p.adjust(c(.01, .04, .03, .005), "holm")."""
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
