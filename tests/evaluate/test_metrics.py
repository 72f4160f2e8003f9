"""Every metric is scikit-learn's, and every file of the folder is on the written list."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics as sk

import bot.evaluate.metrics as metrics
from bot.errors import UserError
from bot.evaluate.gates import JUDGES
from bot.evaluate.interval import estimate
from bot.evaluate.metrics import METRICS, metric_of, metrics_for
from bot.evaluate.metrics.cost import cost
from bot.evaluate.resample import Resampler, Settings
from bot.evaluate.rows import Rows, Scores
from bot.specs.metrics import METRICS as NAMES_IN_SPECS

N = 700
generator = np.random.default_rng(4)
BINARY = (generator.random(N) < 0.3).astype(np.int64)
CHANCE = np.round(np.clip(BINARY * 0.3 + generator.random(N) * 0.7, 0.01, 0.99), 2)  # rounded, so that scores tie
BINARY_SCORES = Scores((CHANCE >= 0.45).astype(np.int64), np.stack([1 - CHANCE, CHANCE], axis=1))
THREE = generator.integers(0, 3, N)
SHARES = generator.dirichlet([1, 1, 1], N) * 0.6 + np.eye(3)[THREE] * 0.4
THREE_SCORES = Scores(SHARES.argmax(axis=1), SHARES)
NUMBER = generator.normal(10, 3, N)
NUMBER_SCORES = Scores(NUMBER + generator.normal(0, 1, N))
WEIGHTS = generator.random(N) + 0.1


def pinball(truth, said, sample_weight):
    return sk.mean_pinball_loss(truth, said, alpha=0.5, sample_weight=sample_weight)


LABELS = {
    "f1": sk.f1_score,
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "specificity": lambda t, p, sample_weight: sk.recall_score(t, p, pos_label=0, sample_weight=sample_weight),
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "mcc": sk.matthews_corrcoef,
    "f1_macro": lambda t, p, **k: sk.f1_score(t, p, average="macro", **k),
    "f1_weighted": lambda t, p, **k: sk.f1_score(t, p, average="weighted", **k),
    "precision_macro": lambda t, p, **k: sk.precision_score(t, p, average="macro", **k),
    "recall_macro": lambda t, p, **k: sk.recall_score(t, p, average="macro", **k),
    "mae": sk.mean_absolute_error,
    "rmse": sk.root_mean_squared_error,
    "r2": sk.r2_score,
    "mape": sk.mean_absolute_percentage_error,
    "pinball": pinball,
}
BY_PROBABILITY = {
    "roc_auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
    "log_loss": sk.log_loss,
    "brier": sk.brier_score_loss,
    "roc_auc_ovr": lambda t, p, **k: sk.roc_auc_score(t, p, multi_class="ovr", **k),
}


def world(task: str, weights) -> tuple[Rows, Scores]:
    if task == "binary":
        return Rows("binary", BINARY, ("no", "yes"), weights), BINARY_SCORES
    if task == "multiclass":
        return Rows("multiclass", THREE, ("a", "b", "c"), weights), THREE_SCORES
    return Rows("regression", NUMBER, weights=weights), NUMBER_SCORES


CASES = [(name, task) for name, metric in METRICS.items() for task in sorted(metric.tasks)]


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize(("name", "task"), [case for case in CASES if case[0] in LABELS | BY_PROBABILITY])
def test_values_are_those_of_scikit_learn(name: str, task: str, weighted: bool) -> None:
    weights = WEIGHTS if weighted else None
    rows, scores = world(task, weights)
    if name == "roc_auc_ovr" and weighted:
        pytest.skip("scikit-learn has no weights for several classes")
    if name in LABELS:
        expected = LABELS[name](rows.truth, scores.predicted, sample_weight=weights)
    else:
        said = scores.probabilities[:, 1] if task == "binary" else scores.probabilities
        options = {"scale_by_half": False} if (name, task) == ("brier", "multiclass") else {}
        expected = BY_PROBABILITY[name](rows.truth, said, sample_weight=weights, **options)
    found = estimate(METRICS[name], scores, Resampler(rows, Settings(resamples=200)))
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert found.low < found.value < found.high


def test_calibration_error_is_the_gap_of_ten_bins() -> None:
    """Two bins of 20,000 rows: |0.05 - 0.25| and |0.95 - 0.85|, half of the rows each."""
    truth = np.tile([0, 0, 0, 1], 5000), (np.arange(20_000) % 20 < 17).astype(np.int64)
    rows = Rows("binary", np.concatenate(truth), ("no", "yes"))
    chance = np.repeat([0.05, 0.95], 20_000)
    scores = Scores((chance > 0.5).astype(np.int64), np.stack([1 - chance, chance], axis=1))
    found = estimate(METRICS["calibration_error"], scores, Resampler(rows, Settings(resamples=200)))
    assert found.value == pytest.approx(0.5 * 0.2 + 0.5 * 0.1, abs=1e-3)
    assert found.low < 0.15 < found.high


def test_a_calibrated_model_is_not_shown_the_error_that_sampling_makes() -> None:
    """Of 200 rows: the plain sum over bins says 0.07 on average, and its interval never reaches down to 0."""
    generator, reached = np.random.default_rng(0), 0
    for _ in range(50):
        chance = generator.random(200)
        rows = Rows("binary", (generator.random(200) < chance).astype(np.int64), ("no", "yes"))
        scores = Scores((chance > 0.5).astype(np.int64), np.stack([1 - chance, chance], axis=1))
        found = estimate(METRICS["calibration_error"], scores, Resampler(rows, Settings(resamples=200)))
        reached += found.low == 0.0
    assert reached >= 45


def test_cost_is_the_mean_over_the_declared_matrix() -> None:
    rows, scores = world("binary", None)
    matrix = np.array([[0.0, 1.0], [5.0, -2.0]])
    expected = matrix[rows.truth, scores.predicted].mean()
    found = estimate(cost(matrix), scores, Resampler(rows, Settings(resamples=200)))
    assert found.value == pytest.approx(expected) and not cost(matrix).greater_is_better


def test_pinball_takes_its_quantile_from_its_name() -> None:
    rows, scores = world("regression", None)
    expected = sk.mean_pinball_loss(rows.truth, scores.predicted, alpha=0.9)
    assert metric_of("pinball_0.9").moments(rows, scores).mean() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("rocauc", "roc_auc"), ("cost", "cost matrix"), ("pinball_x", "pinball"), ("pinball_1.5", "pinball_0.9")],
)
def test_an_unknown_metric_is_refused_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        metric_of(name)
    assert hint in (caught.value.hint or "")


def test_every_metric_file_is_on_the_list() -> None:
    files = {path.stem for path in Path(metrics.__file__).parent.glob("*.py")} - {"__init__", "interface", "ratio"}
    assert files == set(METRICS)


def test_specs_may_name_exactly_these_metrics() -> None:
    mine = {name: set(metric.tasks) for name, metric in METRICS.items() if name != "pinball"}
    assert {name: set(tasks) for name, tasks in NAMES_IN_SPECS.items()} == mine


def test_one_class_has_no_ranking_and_no_interval() -> None:
    rows = Rows("binary", np.zeros(50, dtype=np.int64), ("no", "yes"))
    half = np.full((50, 2), 0.5)
    found = estimate(METRICS["roc_auc"], Scores(rows.truth, half), Resampler(rows, Settings(resamples=200)))
    assert np.isnan(found.value) and found.low is None


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_task_has_metrics(task: str) -> None:
    assert len(metrics_for(task)) >= 4


def test_every_metric_and_gate_is_in_the_documentation() -> None:
    text = Path("docs/evaluation.md").read_text()
    assert [name for name in (*METRICS, *JUDGES) if f"| `{name}` |" not in text] == []
