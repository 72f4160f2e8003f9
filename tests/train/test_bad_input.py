"""Data and specs that cannot be trained on: each a message that names the thing, or a documented behaviour."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bot.adapters.predictor import load
from bot.adapters.workbench import LocalWorkbench
from bot.errors import UserError
from bot.train.step import train
from tests.builders import a_planned
from tests.train.small import a_spec, put, rows, trained

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
        "split_empty",
        "no test row",
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
        "spec_invalid",
        "probabilities",
    ),
    "weights for an estimator without": (
        {"estimator": "{name: KNeighborsClassifier}", "data": data(", weight: w")},
        with_column("w", [1.0] * 240),
        "spec_invalid",
        "weights",
    ),
    "negative weights": (
        {"data": data(", weight: w")},
        with_column("w", [-1.0] + [1.0] * 239),
        "weight_invalid",
        "'w'",
    ),
    "weights of 0": (
        {"data": data(", weight: w")},
        with_column("w", [0.0] * 240),
        "weight_invalid",
        "'w' is 0 in every training row",
    ),
    "a missing weight": (
        {"data": data(", weight: w")},
        with_column("w", [None] + [1.0] * 239),
        "weight_invalid",
        "weight column 'w' is missing",
    ),
    "weights in words": (
        {"data": data(", weight: w")},
        with_column("w", ["much"] * 240),
        "weight_invalid",
        "column 'w'",
    ),
    "a missing group": (
        {"data": data(", group: group")},
        with_column("group", [None] + ["g1", "g2", "g3"] * 79 + ["g1", "g2"]),
        "row_id_missing",
        "group",
    ),
    "a missing time": (
        {"data": data(", time: day"), "split": "{method: time, test: 0.25}"},
        with_column("day", [None, *range(239)]),
        "time_missing",
        "no day",
    ),
    "a time that no test row reaches": (
        {"data": data(", time: day"), "split": "{method: time, test_from: 2099-01-01}"},
        with_column("day", np.datetime64("2024-01-01") + np.arange(240)),
        "split_empty",
        "no test row",
    ),
    "a test_from of another type": (
        {"data": data(", time: day"), "split": "{method: time, test_from: 2024-06-01}"},
        with_column("day", list(range(240))),
        "split_invalid",
        "int64",
    ),
    "one group only": (
        {"data": data(", group: group")},
        with_column("group", ["g"] * 240),
        "split_empty",
        "split by group",
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


def test_a_csv_file_of_two_gigabytes_is_refused_by_the_columns_that_would_be_read(tmp_path):
    """It is not read: most of the file is a hole."""
    file = tmp_path / "data/rows.csv"
    file.parent.mkdir()
    file.write_text("id,outcome,x,y\n" + "".join(f"{i},a,1.5,2\n" for i in range(1000)))
    with file.open("r+b") as opened:
        opened.truncate(2_000_000_000)
    limits = "{jobs: 1, memory: 1 GB}"
    spec = a_spec(
        resources=limits, data="{path: data/rows.csv, target: outcome, row_id: id}", features="{numeric: [x]}"
    )
    with pytest.raises(UserError) as caught:
        train(spec, a_planned("small"), LocalWorkbench(tmp_path, tmp_path / "artifact"))
    assert caught.value.code == "memory_exceeded"
    assert "1500 MB of columns do not fit" in caught.value.message, "3 of the 4 columns"


WIDE = """
task: binary
owner: owen
description: Products of three columns, 180 MB an array.
data: {path: data/rows.parquet, target: outcome, row_id: id}
features: {numeric: [{columns: ["x*"], polynomial: 3}]}
estimator: LogisticRegression
metrics: log_loss
onnx: false
resources: {jobs: 1, memory: 300 MB}
"""


def test_a_fit_beyond_the_memory_limit_ends_with_a_clear_error(tmp_path):
    """The limit is the kernel's: it holds for whatever takes the memory, and no half of an artifact is left."""
    rng = np.random.default_rng(0)
    columns = {f"x{i}": rng.normal(size=1000) for i in range(50)}
    put(tmp_path, pa.table({"id": np.arange(1000), "outcome": rng.choice(["a", "b"], 1000), **columns}))
    (tmp_path / "models/wide").mkdir(parents=True)
    (tmp_path / "models/wide/model.yaml").write_text(WIDE)
    command = [sys.executable, "-c", "from bot.cli import main; main()", "train", "wide", "--out", "artifact"]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "training needs more memory than `resources.memory: 300 MB` allows" in done.stderr
    assert not (tmp_path / "artifact").exists()
