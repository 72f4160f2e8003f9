"""CBPE against what it should give: the formulas of its reference implementation, and labels that are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, auc, f1_score, roc_auc_score

from bot.monitor.estimate import Columns, estimated
from bot.records.health import Estimated
from tests import real_data
from tests.monitor.nannyml_reference import rows

TOLERANCE = 0.015


def world(
    n: int, seed: int, spread: float = 1.0, classes: int = 2, *, turned: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs, more or less spread out, and classes that follow from them, the other way by one input if `turned`."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 4)) * spread
    weights = np.random.default_rng(1).normal(size=(4, classes))
    scores = (x * np.where(turned, [-1, -1, 1, 1], 1)) @ weights + generator.gumbel(size=(n, classes))
    return x, scores.argmax(axis=1)


def table(model: LogisticRegression, x: np.ndarray, y: np.ndarray) -> pa.Table:
    chances = model.predict_proba(x)
    columns = {f"p{number}": chances[:, number] for number in range(chances.shape[1])}
    said = chances.argmax(axis=1)
    return pa.table({"y": [f"c{one}" for one in y], "said": [f"c{one}" for one in said], **columns})


def columns(classes: int) -> Columns:
    given = range(classes) if classes > 2 else (1,)
    return Columns("y", "said", {f"c{number}": f"p{number}" for number in given})


def by_metric(found: tuple[Estimated, ...]) -> dict[str, Estimated]:
    return {one.metric: one for one in found}


def measured(current: pa.Table, classes: int) -> dict[str, float]:
    truth = np.array([int(one[1:]) for one in current["y"].to_pylist()])
    said = np.array([int(one[1:]) for one in current["said"].to_pylist()])
    chances = np.stack([current[f"p{number}"].to_numpy() for number in range(classes)], axis=1)
    area = roc_auc_score(truth, chances[:, 1]) if classes == 2 else roc_auc_score(truth, chances, multi_class="ovr")
    average = "binary" if classes == 2 else "macro"
    return {"accuracy": accuracy_score(truth, said), "f1": f1_score(truth, said, average=average), "roc_auc": area}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("spread", [1.0, 0.6])
def test_estimates_are_the_truth_when_only_the_inputs_move(classes, spread):
    """20,000 rows: within 0.015 of the metric that the labels, which it did not see, give."""
    model = LogisticRegression().fit(*world(5_000, 0, classes=classes))
    reference, current = (
        table(model, *world(20_000, seed, by, classes=classes)) for seed, by in ((1, 1.0), (2, spread))
    )
    found = by_metric(estimated(reference, current.drop_columns(["y"]), columns(classes)))
    for metric, value in measured(current, classes).items():
        assert found[metric].current == pytest.approx(value, abs=TOLERANCE), metric
        assert found[metric].reference == pytest.approx(measured(reference, classes)[metric], abs=1e-9)
    if spread < 1:  # and it is an estimate that moves, not the reference repeated
        assert abs(found["roc_auc"].current - found["roc_auc"].reference) > TOLERANCE


def thresholds_auc(chance: np.ndarray) -> float:
    """Area over every threshold of the expected confusion matrix, as the reference implementation sums it."""
    ordered = np.sort(chance)
    distinct = np.append(np.diff(ordered, prepend=-1) > 0, True)
    positive = np.append(np.cumsum(ordered[::-1])[::-1], 0.0)[distinct]
    negative = np.append(np.cumsum((1 - ordered)[::-1])[::-1], 0.0)[distinct]
    return float(auc(negative / negative[0], positive / positive[0]))


def test_estimates_are_those_of_the_published_formulas():
    model = LogisticRegression().fit(*world(3_000, 0))
    reference, current = (table(model, *world(2_000, seed, by)) for seed, by in ((1, 1.0), (2, 0.7)))
    curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    curve.fit(reference["p1"].to_numpy(), np.array(reference["y"].to_pylist()) == "c1")
    chance = curve.predict(current["p1"].to_numpy())
    said = np.array(current["said"].to_pylist()) == "c1"
    both, wrong, missed = chance[said].sum(), (1 - chance[said]).sum(), chance[~said].sum()
    found = by_metric(estimated(reference, current, columns(2)))
    assert found["roc_auc"].current == pytest.approx(thresholds_auc(chance), abs=1e-9)
    assert found["f1"].current == pytest.approx(both / (both + (wrong + missed) / 2), abs=1e-9)
    assert found["accuracy"].current == pytest.approx(np.where(said, chance, 1 - chance).mean(), abs=1e-9)


def test_estimates_are_nannymls_on_real_flights(tmp_path):
    """Five chunks, three metrics: equal to what NannyML 0.13.1 printed (nannyml_reference.py made the file)."""
    recorded = json.loads(Path(__file__).with_name("nannyml_reference.json").read_text(encoding="utf-8"))
    assert recorded["versions"]["nannyml"] == "0.13.1"
    reference, chunks = rows(real_data.fetch(tmp_path) / "data")
    assert list(recorded["estimates"]) == list(chunks)
    for name, chunk in chunks.items():
        given = Columns("late", "said", {"1": "chance"})
        found = {one.metric: one.current for one in estimated(reference, chunk.drop_columns(["late"]), given)}
        assert found == pytest.approx(recorded["estimates"][name], abs=1e-6), name


def test_the_interval_holds_what_chance_does():
    """95 % of windows of 500 rows: of 60 at least 51 (chance of fewer: 2 in 1,000), and never a vacuous interval."""
    model = LogisticRegression().fit(*world(5_000, 0))
    reference = table(model, *world(5_000, 1))
    held = 0
    for seed in range(60):
        current = table(model, *world(500, 10 + seed))
        found = by_metric(estimated(reference, current, columns(2)))
        value = measured(current, 2)["roc_auc"]
        held += found["roc_auc"].low <= value <= found["roc_auc"].high
        assert found["roc_auc"].high - found["roc_auc"].low < 0.12
    assert held >= 51


def test_it_is_blind_to_concept_drift_and_says_so():
    model = LogisticRegression().fit(*world(5_000, 0))
    reference, current = table(model, *world(5_000, 1)), table(model, *world(5_000, 2, turned=True))
    found = by_metric(estimated(reference, current, columns(2)))["accuracy"]
    assert measured(current, 2)["accuracy"] < found.reference - 0.05
    assert found.current == pytest.approx(found.reference, abs=0.02)
    assert "concept drift" in found.fails_when[0] and "not a measurement" in found.assumption


def test_nothing_is_estimated_where_it_would_be_a_guess():
    model = LogisticRegression().fit(*world(5_000, 0))
    reference, current = table(model, *world(1_000, 1)), table(model, *world(500, 2))
    other = reference.set_column(1, "said", reference["y"])  # answers that know more than the probabilities
    assert estimated(reference.slice(0, 150), current, columns(2)) == ()
    assert estimated(reference, current.drop_columns(["p1"]), columns(2)) == ()
    assert [one.metric for one in estimated(other, current, columns(2))] == ["roc_auc"]
