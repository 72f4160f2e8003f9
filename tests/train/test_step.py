"""Training as a whole: what lands in the folder, and that it says the truth about itself."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pyarrow as pa
import pytest

from bot.adapters.predictor import load
from bot.adapters.tables import read_table
from bot.errors import UserError
from bot.records.training import Golden, Training
from tests.train.small import a_spec, rows, trained


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("made"))


def test_the_folder_holds_no_pickle_and_every_file_matches_its_digest(made):
    training, out = made
    names = {path.name for path in out.iterdir()}
    assert names == {"model.skops", "model.onnx", "golden.json", "training.json", "README.md"}
    for file in training.files:
        assert "sha256:" + hashlib.sha256((out / file.name).read_bytes()).hexdigest() == file.sha256
    assert training.artifact_digest == {file.name: file.sha256 for file in training.files}["model.skops"]
    assert Training.parse((out / "training.json").read_bytes(), source="training.json") == training


def test_golden_predictions_are_what_the_artifact_says(made):
    training, out = made
    golden = Golden.parse((out / "golden.json").read_bytes(), source="golden.json")
    table = pa.Table.from_pylist(list(golden.rows))
    for prefer in ("skops", "onnx"):
        predictor = load(out, prefer=prefer)
        assert tuple(predictor.predict(table)) == golden.predictions
        assert np.allclose(predictor.probabilities(table), golden.probabilities, atol=1e-6)
    assert len(golden.rows) == 20 and set(golden.rows[0]) == set(training.inputs)


def test_golden_rows_do_not_depend_on_the_order_of_the_file(made, tmp_path):
    shuffled = rows().take(np.random.default_rng(1).permutation(240))
    _, out = trained(tmp_path, table=shuffled)
    first = json.loads((made[1] / "golden.json").read_bytes())["rows"]
    assert json.loads((out / "golden.json").read_bytes())["rows"] == first


def test_training_twice_gives_the_same_bytes(made, tmp_path):
    again, _ = trained(tmp_path)
    assert again.artifact_digest == made[0].artifact_digest
    assert again.files == made[0].files


@pytest.mark.parametrize(
    ("changes", "classes"),
    [
        ({"positive": '"no"'}, ("yes", "no")),
        (
            {"task": "multiclass", "data": "{path: data/rows.parquet, target: level, row_id: id}"},
            ("high", "low", "middle"),
        ),
        (
            {
                "task": "regression",
                "data": "{path: data/rows.parquet, target: amount, row_id: id}",
                "estimator": "{name: Ridge, transform_target: none}",
                "metrics": "mae",
            },
            None,
        ),
        (
            {"estimator": "{name: HistGradientBoostingClassifier, calibration: isotonic, threshold: {tune: f1}}"},
            ("no", "yes"),
        ),
        ({"estimator": "{name: LinearSVC}", "metrics": "accuracy"}, ("no", "yes")),
    ],
    ids=["positive first", "multiclass", "regression", "calibrated and tuned", "no probabilities"],
)
def test_each_kind_of_model_predicts_after_loading(tmp_path, changes, classes):
    spec = a_spec(resources="{jobs: 1}", onnx="false", **changes)
    training, out = trained(tmp_path, spec)
    predictor = load(out)
    assert training.classes == classes == predictor.classes
    table = read_table(spec, tmp_path, training.inputs)
    predicted = predictor.predict(table)
    if classes is None:
        assert predicted.dtype == np.float64
    else:
        truth = table[spec.data.target].to_numpy(zero_copy_only=False)
        assert np.mean(predicted == truth) > 0.6 and set(predicted) <= set(classes)
    probabilities = predictor.probabilities(table)
    assert (probabilities is None) == (classes is None or spec.estimator.name == "LinearSVC")


def test_every_kind_of_feature_goes_through_training_and_prediction(tmp_path):
    rng = np.random.default_rng(3)
    n = 240
    table = rows().append_column(
        "note", pa.array(rng.choice(["late again and angry", "fine thank you very much", "no word at all"], n))
    )
    days = np.datetime64("2024-01-01") + rng.integers(0, 300, n).astype("timedelta64[D]")
    table = table.append_column("day", pa.array(days.astype("datetime64[us]")))
    features = """{numeric: [{columns: [signal], indicator: true, polynomial: 2}, {columns: [noise], bins: 4}],
      categorical: [{columns: [shop], encode: target}], text: [note],
      datetime: [{columns: [day], parts: [month, weekday, elapsed_days], cyclic: true}],
      derived: {ratio: noise / (1 + abs(amount))}}"""
    training, out = trained(tmp_path, a_spec(resources="{jobs: 1}", features=" ".join(features.split())), table)
    assert set(training.inputs) == {"signal", "noise", "shop", "note", "day", "amount"}
    assert training.onnx == "failed" and training.onnx_detail
    golden = Golden.parse((out / "golden.json").read_bytes(), source="golden.json")
    again = load(out).predict(pa.Table.from_pylist(list(golden.rows)))
    assert tuple(again) == golden.predictions, "dates come back from JSON as text"


def test_native_categories_follow_the_estimator(tmp_path):
    features = "{numeric: [signal], categorical: [{columns: [shop], encode: native, unknown: missing}]}"
    spec = a_spec(resources="{jobs: 1}", features=features, estimator="HistGradientBoostingClassifier")
    training, out = trained(tmp_path, spec)
    table = pa.table({"signal": [0.1, 0.1], "shop": ["south", "never seen"]})
    assert load(out).probabilities(table).shape == (2, 2)
    assert training.onnx in ("failed", "passed")


def test_the_selection_keeps_the_inputs_that_matter(tmp_path):
    spec = a_spec(
        resources="{jobs: 1}",
        features="{numeric: [signal, noise, other], categorical: [shop]}",
        selection="one_standard_error",
    )
    table = rows(600).append_column("other", pa.array(np.random.default_rng(5).normal(size=600)))
    training, _ = trained(tmp_path, spec, table)
    assert {"signal", "shop"} <= set(training.inputs) and len(training.inputs) < 4
    assert {one.column for one in training.dropped} == {"signal", "noise", "other", "shop"} - set(training.inputs)
    assert sum(point.chosen for point in training.selection_curve) == 1
    assert training.selection_method == "one_standard_error/fast"


def test_nothing_is_written_when_training_fails(tmp_path):
    table = rows().set_column(5, "outcome", pa.array(["yes"] * 240))
    with pytest.raises(UserError):
        trained(tmp_path, table=table)
    assert not (tmp_path / "artifact").exists()


def test_the_model_card_cannot_be_used_to_inject_markup(tmp_path):
    spec = a_spec(resources="{jobs: 1}", description='"x | y <img src=x> [a](b)\\n---\\ntags: [z]"')
    _, out = trained(tmp_path, spec)
    card = (out / "README.md").read_text()
    assert card.count("\n---\n") == 1 and "<img" not in card.replace("\\<img", "")
