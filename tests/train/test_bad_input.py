"""Data and specs that cannot be trained on: each a message that names the thing, or a documented behaviour."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bot.adapters.predictor import load
from bot.errors import UserError
from tests.train.small import a_spec, rows, trained

ONE = "{jobs: 1}"


def with_column(name: str, values: object) -> pa.Table:
    table = rows()
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, pa.array(values))
    return table.append_column(name, pa.array(values))


def data(more: str = "", target: str = "outcome") -> str:
    return f"{{path: data/rows.parquet, target: {target}, row_id: id{more}}}"


GROUPED = with_column("group", [f"g{i % 4}" for i in range(240)])
REFUSED = {
    "one class": ({}, with_column("outcome", ["yes"] * 240), "target_one_class", "'yes'"),
    "three classes for two": ({"data": data(target="level")}, rows(), "target_classes", "3 classes"),
    "a positive label that is not there": ({"positive": "maybe"}, rows(), "target_classes", "maybe"),
    "a class that only test rows have": (
        {"task": "multiclass", "data": data(target="rare")},
        with_column("rare", [f"c{i}" for i in range(240)]),
        "target_unseen_class",
        "no training row",
    ),
    "text as a number to predict": (
        {"task": "regression", "estimator": "Ridge", "metrics": "mae"},
        rows(),
        "target_type",
        "not a number",
    ),
    "an infinite number to predict": (
        {"task": "regression", "estimator": "Ridge", "metrics": "mae", "data": data(target="amount")},
        with_column("amount", [float("inf")] + [1.0] * 239),
        "target_not_finite",
        "1 rows",
    ),
    "a column that is not there": ({"features": "{numeric: [signl]}"}, rows(), "column_missing", "signl"),
    "a pattern that matches nothing": ({"features": '{numeric: ["w_*"]}'}, rows(), "column_missing", "w_*"),
    "text as a numeric input": ({"features": "{numeric: [shop]}"}, rows(), "column_type", "'shop'"),
    "more folds than groups": (
        {"data": data(", group: group"), "search": "{parameters: {C: [1]}, folds: 5}"},
        GROUPED,
        "folds_too_many",
        "groups",
    ),
    "more folds than rows of a class": (
        {"search": "{parameters: {C: [1]}, folds: 10}"},
        with_column("outcome", ["yes"] * 5 + ["no"] * 235),
        "folds_too_many",
        "rarest class",
    ),
    "an unknown parameter": (
        {"estimator": "{name: LogisticRegression, parameters: {c: 1}}"},
        rows(),
        "parameter_invalid",
        "'c'",
    ),
    "a parameter out of range": (
        {"estimator": "{name: LogisticRegression, parameters: {C: -1}}"},
        rows(),
        "parameter_invalid",
        "'C'",
    ),
    "a parameter as a mapping": (
        {"estimator": "{name: RandomForestClassifier, parameters: {max_depth: {a: 1}}}"},
        rows(),
        "parameter_invalid",
        "mapping",
    ),
    "a billion trees": (
        {"estimator": "{name: RandomForestClassifier, parameters: {n_estimators: 1000000000}}"},
        rows(),
        "parameter_invalid",
        "n_estimators",
    ),
    "a grid of a million": (
        {"search": f"{{parameters: {{C: {list(range(1, 1001))}, tol: {[i / 1e4 for i in range(1, 1001)]}}}}}"},
        rows(),
        "search_too_large",
        "1000000",
    ),
    "a search whose fits all fail": (
        {
            "estimator": "{name: LogisticRegression, parameters: {solver: lbfgs}}",
            "search": "{parameters: {l1_ratio: [1]}, folds: 2}",
        },
        rows(),
        "search_failed",
        "no candidate",
    ),
    "a threshold without probabilities": (
        {"estimator": "{name: LinearSVC, threshold: {tune: f1}}", "metrics": "f1"},
        rows(),
        "parameter_invalid",
        "probabilities",
    ),
    "weights for an estimator without": (
        {"estimator": "{name: KNeighborsClassifier}", "data": data(", weight: w")},
        with_column("w", [1.0] * 240),
        "fit_failed",
        "weights",
    ),
    "negative weights": (
        {"data": data(", weight: w")},
        with_column("w", [-1.0] + [1.0] * 239),
        "weight_invalid",
        "'w'",
    ),
    "a missing row id": ({}, with_column("id", [None, *range(239)]), "row_id_missing", "missing"),
    "native categories of a linear model": (
        {"features": "{categorical: [{columns: [shop], encode: native}]}"},
        rows(),
        "spec_invalid",
        "native",
    ),
    "nothing left for auto": (
        {"features": "{auto: true, exclude: [signal, noise, shop, amount, level]}"},
        rows(),
        "inputs_none",
        "no input",
    ),
}


@pytest.mark.parametrize(("changes", "table", "code", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_trained_is_refused_with_a_reason(tmp_path, changes, table, code, says):
    with pytest.raises(UserError) as caught:
        trained(tmp_path, a_spec(resources=ONE, **changes), table)
    assert caught.value.code == code, caught.value
    assert says in caught.value.message
    assert not (tmp_path / "artifact").exists()


def test_infinite_inputs_count_as_missing_and_are_said(tmp_path):
    table = with_column("noise", [float("inf")] * 40 + [1.0] * 200)
    training, out = trained(tmp_path, a_spec(resources=ONE), table)
    assert any("noise" in text and "infinite" in text for text in training.warnings)
    one = pa.table({"signal": [0.1, 0.1], "noise": [float("-inf"), None], "shop": ["south", "south"]})
    assert np.array_equal(*load(out).probabilities(one))


def test_an_input_that_is_missing_everywhere_does_not_stop_training(tmp_path):
    table = with_column("noise", pa.nulls(240, pa.float64()))
    training, out = trained(tmp_path, a_spec(resources=ONE), table)
    assert any(text.startswith("noise: constant") for text in training.warnings)
    assert load(out).predict(table).shape == (240,)


def test_a_category_unseen_in_training_still_gets_a_prediction(tmp_path):
    training, out = trained(tmp_path)
    one = pa.table({"signal": [0.1], "noise": [0.0], "shop": ["never seen"]})
    for prefer in ("skops", "onnx"):
        assert load(out, prefer=prefer).predict(one)[0] in training.classes


def test_ten_thousand_columns_train_within_reason(tmp_path):
    rng = np.random.default_rng(0)
    table = pa.table(
        {"id": np.arange(200), "outcome": rng.choice(["a", "b"], 200)}
        | {f"x{i}": rng.normal(size=200).astype(np.float32) for i in range(10_000)}
    )
    spec = a_spec(resources=ONE, features="{auto: true}", onnx="false")
    training, _ = trained(tmp_path, spec, table)
    assert len(training.inputs) == 10_000


def test_more_columns_than_the_limit_are_refused(tmp_path):
    table = pa.table({"id": [1, 2], "outcome": ["a", "b"]} | {f"x{i}": [1, 2] for i in range(20_001)})
    with pytest.raises(UserError, match="too many inputs"):
        trained(tmp_path, a_spec(resources=ONE, features="{auto: true}"), table)


def test_data_beyond_the_memory_limit_are_refused_before_they_are_read(tmp_path):
    table = pa.table({"id": np.arange(300_000), "outcome": ["a", "b"] * 150_000, "x": np.random.rand(300_000)})
    spec = a_spec(resources="{jobs: 1, memory: 2 MB}", features="{numeric: [x]}")
    with pytest.raises(UserError) as caught:
        trained(tmp_path, spec, table)
    assert caught.value.code == "memory_exceeded" and "2 MB" in caught.value.message
