"""model.yaml: small specs are enough, and every mistake is named at its place with the nearest valid word."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import Problems, UserError
from bot.specs.model import read_model_spec

ROOT = Path(__file__).parents[2]

SMALL = """\
task: binary
owner: ana
description: Will they leave?
data:
  path: data/churn
  target: left
  row_id: id
features:
  auto: true
estimator: LogisticRegression
metrics: roc_auc
"""


def read(text: str = SMALL, **changes: str):
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return read_model_spec(text.encode(), "models/churn/model.yaml")


def changed(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new)


def test_eleven_lines_are_a_model():
    spec = read()
    assert spec.name == "churn"
    assert spec.owner == ("ana",)
    assert spec.features.auto_settings is not None
    assert spec.split_method == "stratified"
    assert spec.resources.runner == "ubuntu-24.04-arm"
    assert spec.environments == ("staging", "production")
    assert spec.metrics.names == ("roc_auc",)


def test_short_forms_stand_for_long_ones():
    short = changed("auto: true", "numeric: age\n  categorical: [a, b]").replace(
        "metrics: roc_auc", "metrics: roc_auc\nselection: one_standard_error\nslices: [a, {columns: [a, b]}]"
    )
    long = (
        changed("auto: true", "numeric: [{columns: [age]}]\n  categorical: {columns: [a, b]}")
        .replace(
            "metrics: roc_auc",
            "metrics: {primary: roc_auc}\nselection: {method: one_standard_error}\n"
            "slices: [{columns: a}, {columns: [a, b]}]",
        )
        .replace("estimator: LogisticRegression", "estimator: {name: LogisticRegression}")
    )
    assert read(short) == read(long)


@pytest.mark.parametrize("path", sorted(ROOT.glob("models/*/model.yaml")), ids=lambda path: path.parent.name)
def test_the_models_of_this_repository_are_read(path):
    spec = read_model_spec(path.read_bytes(), f"models/{path.parent.name}/model.yaml")
    assert spec.name == path.parent.name
    assert len(path.read_text().splitlines()) < 60


@pytest.mark.parametrize(
    ("old", "new", "place", "message", "hint"),
    [
        ("target: left", "targt: left", "6:3", "unknown key `data.targt`", "Did you mean `target`?"),
        ("  target: left\n", "", "4:1", "the key `data.target` is missing", "mlbot schema model"),
        (
            "task: binary",
            "task: binry",
            "1:7",
            "must be one of binary, multiclass, regression",
            "Did you mean `binary`",
        ),
        ("task: binary", "task: 3", "1:7", "must be one of", "Write one of"),
        ("LogisticRegression", "LogistcRegression", "10:1", "unknown estimator", "Did you mean `LogisticRegression`?"),
        (
            "LogisticRegression",
            "RandomForestRegressor",
            "10:1",
            "does not do the task",
            "Use `RandomForestClassifier`.",
        ),
        ("LogisticRegression", "{name: SVC, parametres: {}}", "10:24", "unknown key", "Did you mean `parameters`?"),
        (
            "LogisticRegression",
            "{name: SVC, parameters: {n_jobs: 2}}",
            "10:37",
            "set by the trainer",
            "Remove it",
        ),
        ("roc_auc", "roc_aucc", "11:1", "unknown metric", "Did you mean `roc_auc`?"),
        ("roc_auc", "{primary: roc_auc, also: [rmse]}", "11:1", "unknown metric 'rmse'", ""),
        ("data/churn", "../churn", "5:9", "is not a path in this repository", "data/flights"),
        ("data/churn", "data/../../x", "5:9", "is not a path in this repository", ""),
        ("data/churn", "/data/churn", "5:9", "is not a path in this repository", ""),
        ("data/churn", "data//churn", "5:9", "is not a path in this repository", ""),
        ("data/churn", "data/.git/x", "5:9", "is not a path in this repository", ""),
        ("row_id: id", "row_id: left", "7:3", "already the target", "another column"),
        ("row_id: id", "row_id: id\n  where: age >", "8:10", "cannot read 'age >'", ""),
        ("row_id: id", "row_id: id\n  where: open('x')", "8:10", "not a known function", "Functions: abs"),
        ("auto: true", "auto: false", "9:3", "no inputs are named", "auto: true"),
        ("auto: true", "numeric: [left]", "8:1", "cannot be an input", ""),
        ("auto: true", "derived: {speed: left / 2}", "8:1", "cannot be an input", ""),
        ("auto: true", "derived: {speed: a //}", "9:13", "cannot read", "backquotes"),
        ("auto: true", "numeric: {columns: a, scle: no}", "9:31", "YAML 1.1", '"no"'),
        ("auto: true", "numeric: {columns: a, scale: std}", "9:32", "`features.numeric.scale` must be one of none", ""),
        ("owner: ana", "owner: 'ana smith'", "2:8", "must match pattern", ""),
        ("owner: ana", "owner: []", "2:8", "at least 1", ""),
        ("description: Will they leave?", "description: 5", "3:14", "must be text; found 5", 'Quote it: "5"'),
        (
            "metrics: roc_auc",
            "metrics: roc_auc\nseed: '3'",
            "12:7",
            "must be a whole number; found 3",
            "Remove the quotes",
        ),
        ("metrics: roc_auc", "metrics: roc_auc\nsplit: {method: time}", "12:9", "needs a time column", "Add `time"),
        ("metrics: roc_auc", "metrics: roc_auc\nsplit: {method: group}", "12:9", "needs a group column", ""),
        ("metrics: roc_auc", "metrics: roc_auc\nsplit: {test: 1.5}", "12:15", "less than 1", ""),
        ("metrics: roc_auc", "metrics: roc_auc\nenvironments: [a, a]", "12:15", "named twice", ""),
        ("metrics: roc_auc", "metrics: roc_auc\nslices: [{bins: 3}]", "12:10", "`columns` or `where`", ""),
        ("metrics: roc_auc", "metrics: roc_auc\nresources: {memory: lots}", "12:21", "pattern", ""),
        ("metrics: roc_auc", "metrics: roc_auc\nresources: {runner: '${{ x }}'}", "12:21", "pattern", ""),
        ("metrics: roc_auc", "metrics: roc_auc\ngates: [{id: x, kind: flor}]", "12:", "floor", ""),
    ],
)
def test_a_mistake_is_named_at_its_place(old, new, place, message, hint):
    with pytest.raises(UserError) as caught:
        read(changed(old, new))
    error = caught.value.errors[0] if isinstance(caught.value, Problems) else caught.value
    assert message in error.message
    assert str(error.place).startswith(f"models/churn/model.yaml:{place}")
    assert hint in (error.hint or "")


@pytest.mark.parametrize(
    ("task", "metric", "extra"),
    [
        ("regression", "rmse", "positive: 1"),
        ("regression", "rmse", "split: {method: stratified}"),
        ("multiclass", "log_loss", "positive: a"),
        ("binary", "roc_auc", "estimator: {name: SVC, transform_target: log1p}"),
        ("regression", "mae", "estimator: {name: Ridge, calibration: sigmoid}"),
        ("multiclass", "accuracy", "estimator: {name: SVC, threshold: 0.5}"),
    ],
)
def test_a_key_that_means_nothing_for_the_task_is_refused(task, metric, extra):
    text = changed("task: binary", f"task: {task}").replace("roc_auc", metric)
    name = "Ridge" if task == "regression" else "SVC"
    text = text.replace("estimator: LogisticRegression\n", "" if "estimator" in extra else f"estimator: {name}\n")
    with pytest.raises(UserError, match="means nothing for the task"):
        read(text + extra + "\n")


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ("{parameters: {C: {low: 1, high: 2}}}", "a range, which a grid cannot walk"),
        ("{parameters: {C: {low: 2, high: 1}}, method: random}", "`low` must be below `high`"),
        ("{parameters: {C: {low: 0, high: 1, scale: log}}, method: random}", "starts above 0"),
        ("{parameters: {}}", "at least 1"),
        ("{parameters: {C: []}}", "at least 1"),
        ("{parameters: {C: [1]}, folds: 1}", "greater than or equal to 2"),
        ("{parameters: {C: [1]}, scoring: rmse}", "unknown metric"),
        ("{parameters: {C: [1]}, dask: 'tls://x:1'}", "a spec names no address"),
    ],
)
def test_a_search_that_cannot_run_is_refused(search, message):
    with pytest.raises(UserError) as caught:
        read(SMALL + f"search: {search}\n")
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["Churn", "churn_1", "-churn", "", "a" * 64, "chürn", "churn.v1", "a b"])
def test_a_folder_whose_name_cannot_be_a_tag_or_a_service_is_refused(name):
    with pytest.raises(UserError, match="is not a model name"):
        read_model_spec(SMALL.encode(), f"models/{name}/model.yaml")


def test_an_empty_file_says_so():
    with pytest.raises(UserError, match="the file is empty"):
        read("")


def test_memory_is_read_in_bytes():
    assert read(SMALL + "resources: {memory: 1.5 GB}\n").resources.memory_bytes == 1_500_000_000
    assert read().resources.memory_bytes is None


def test_reading_a_spec_does_not_import_heavy_libraries():
    import subprocess
    import sys

    code = (
        "import sys; from bot.specs.model import read_model_spec; from bot.plan.step import plan;"
        f"read_model_spec({SMALL!r}.encode(), 'models/a/model.yaml');"
        "heavy = {'sklearn', 'pyarrow', 'dvc', 'numpy', 'github'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_parameters_may_be_lists():
    spec = read(changed("LogisticRegression", "{name: MLPClassifier, parameters: {hidden_layer_sizes: [10, 5]}}"))
    assert spec.estimator.parameters == {"hidden_layer_sizes": (10, 5)}
    spec = read(
        changed("LogisticRegression", "MLPClassifier") + "search: {parameters: {hidden_layer_sizes: [[10, 5], [3]]}}\n"
    )
    assert spec.search.parameters == {"hidden_layer_sizes": ((10, 5), (3,))}


def test_a_spec_may_add_gates():
    spec = read(SMALL + "gates: [{id: better, kind: floor, value: 0.7}]\n")
    assert spec.gates[0]["id"] == "better"
