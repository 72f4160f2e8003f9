"""A spec and a plain scikit-learn script give the same numbers to 1e-9 on the same rows.

In short here; `MLBOT_EXAMPLES=300 .venv/bin/pytest tests/specs_as_sklearn -q` crosses as many.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import preprocessing as p
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from bot.plan.digest import inputs_digest
from bot.specs.split import split_rows
from tests.specs_as_sklearn.plain import calibrated, fit, folds
from tests.specs_as_sklearn.worlds import a_spec, arrays, asked, table

EXAMPLES = int(os.environ.get("MLBOT_EXAMPLES", "8"))
CROSSED = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
SPLITS = {
    "random": ({}, {"method": "random"}),
    "group": ({"group": "who"}, {"method": "group"}),
    "time": ({"time": "day"}, {"method": "time"}),
    "time and group": ({"time": "day", "group": "who"}, {"method": "time"}),
}


def spec_of(split: str, *, weighted: bool, **keys):
    data, how = SPLITS[split]
    return a_spec(data={**data, **({"weight": "w"} if weighted else {})}, split=how, **keys)


@CROSSED
@given(st.sampled_from(sorted(SPLITS)), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 3))
def test_a_fit_is_the_fit_of_the_pipeline(split, weighted, missing, regression, seed):
    rows = table(seed, missing=missing)
    task = {"task": "regression", "metrics": "mae"} if regression else {}
    boosted = seed % 2 == 1
    name = (
        ("HistGradientBoostingRegressor" if regression else "HistGradientBoostingClassifier")
        if boosted
        else ("Ridge" if regression else "LogisticRegression")
    )
    parameters = {"max_iter": 20} if boosted else {}
    spec = spec_of(split, weighted=weighted, estimator={"name": name, "parameters": parameters}, seed=seed, **task)
    if regression:
        spec = spec.model_copy(update={"data": spec.data.model_copy(update={"target": "size"})})
    known = arrays(spec, rows)
    if boosted:
        kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
        plain = kind(max_iter=20, random_state=seed)
        x, seen = known["x"], known["seen"]
    else:
        prepare = make_pipeline(SimpleImputer(strategy="median"), p.StandardScaler())
        x = prepare.fit_transform(known["x"])
        seen = prepare.transform(known["seen"])
        plain = Ridge(random_state=seed) if regression else LogisticRegression(random_state=seed)
    fit(plain, x, known["y"], known["weights"])
    with tempfile.TemporaryDirectory() as folder:
        _, found = asked(Path(folder), spec, rows)
    expected = plain.predict(seen) if regression else plain.predict_proba(seen)
    assert np.abs(found - expected).max() < 1e-9


@CROSSED
@given(st.sampled_from(sorted(SPLITS)), st.sampled_from(["sigmoid", "isotonic"]), st.booleans(), st.booleans())
def test_calibration_is_fitted_on_out_of_fold_scores_of_the_folds(split, method, weighted, missing):
    rows = table(5, missing=missing)
    spec = spec_of(split, weighted=weighted, estimator={"name": "LinearSVC", "calibration": method}, seed=3)
    known = arrays(spec, rows)
    prepare = make_pipeline(SimpleImputer(strategy="median"), p.StandardScaler())
    x, seen = prepare.fit_transform(known["x"]), prepare.transform(known["seen"])
    parts = folds(known["y"], known["groups"], known["moments"], 5, 3, classes=True)
    ask = calibrated(LinearSVC(random_state=3), method, x, known["y"], known["weights"], parts)
    with tempfile.TemporaryDirectory() as folder:
        _, found = asked(Path(folder), spec, rows)
    tolerance = 1e-9 if method == "isotonic" or "time" not in split else 1e-4  # two solvers of one line
    assert np.abs(found[:, 1] - ask(seen)).max() < tolerance


@CROSSED
@given(st.sampled_from(sorted(SPLITS)), st.booleans(), st.sampled_from(["roc_auc", "log_loss"]), st.booleans())
def test_a_search_is_a_loop_over_candidates_and_folds(split, weighted, scoring, labels_only):
    rows = table(7, missing=False)
    scoring = "roc_auc" if labels_only else scoring
    name = "LinearSVC" if labels_only else "LogisticRegression"
    grid = [0.001, 0.03, 1.0]
    spec = spec_of(
        split,
        weighted=weighted,
        estimator=name,
        metrics="accuracy",
        search={"parameters": {"C": grid}, "folds": 3, "scoring": scoring},
    )
    known = arrays(spec, rows)
    x, y, weights = known["x"], known["y"], known["weights"]
    best = []
    for value in grid:
        scores = []
        for train, valid in folds(y, known["groups"], known["moments"], 3, 0, classes=True):
            scale = p.StandardScaler().fit(x[train])
            kind = LinearSVC if labels_only else LogisticRegression
            made = fit(
                kind(C=value, random_state=0),
                scale.transform(x[train]),
                y[train],
                None if weights is None else weights[train],
            )
            rest = scale.transform(x[valid])
            shown = made.decision_function(rest) if scoring == "roc_auc" else made.predict_proba(rest)
            scores.append(roc_auc_score(y[valid], shown) if scoring == "roc_auc" else -log_loss(y[valid], shown))
        best.append(np.mean(scores))
    with tempfile.TemporaryDirectory() as folder:
        training, _ = asked(Path(folder), spec, rows)
    assert training.parameters == {"C": grid[int(np.argmax(best))]}


BLOCKS = {
    "robust": ({"scale": "robust"}, [p.RobustScaler()]),
    "min_max": ({"scale": "min_max"}, [p.MinMaxScaler()]),
    "power": ({"scale": "power"}, [p.PowerTransformer()]),
    "polynomial": ({"polynomial": 2}, [p.PolynomialFeatures(2, include_bias=False), p.StandardScaler()]),
    "splines": ({"splines": 4}, [p.SplineTransformer(4), p.StandardScaler()]),
    "bins": ({"bins": 4}, [p.KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf")]),
    "unscaled": ({"scale": "none"}, []),
}


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_a_block_of_numbers_is_its_transformers(tmp_path, name):
    rows = table(2, missing=True)
    keys, steps = BLOCKS[name]
    spec = a_spec(features={"numeric": {"columns": ["a", "b"], "impute": "mean", **keys}}, split={"method": "random"})
    known = arrays(spec, rows)
    plain = make_pipeline(SimpleImputer(strategy="mean"), *map(clone, steps), LogisticRegression(random_state=0))
    plain.fit(known["x"], known["y"])
    _, found = asked(tmp_path, spec, rows)
    assert np.abs(found - plain.predict_proba(known["seen"])).max() < 1e-9


CODES = {
    "one_hot": ({"encode": "one_hot"}, p.OneHotEncoder(handle_unknown="ignore")),
    "max": ({"encode": "one_hot", "max_categories": 2}, p.OneHotEncoder(handle_unknown="ignore", max_categories=2)),
    "ordinal": ({"encode": "ordinal"}, p.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
}


@pytest.mark.parametrize("name", sorted(CODES))
def test_a_block_of_categories_is_its_encoder(tmp_path, name):
    rows = table(2, missing=False)
    keys, encoder = CODES[name]
    features = {"numeric": ["b"], "categorical": {"columns": ["c"], **keys}}
    spec = a_spec(features=features, split={"method": "random"})
    train, test = split_rows(spec, rows)
    frame = np.column_stack([np.array(rows["b"]).astype(object), np.array(rows["c"])])
    prepare = ColumnTransformer([("n", p.StandardScaler(), [0]), ("c", encoder, [1])])
    plain = make_pipeline(prepare, LogisticRegression(random_state=0))
    plain.fit(frame[train], (np.array(rows["kind"]) == "b")[train].astype(int))
    _, found = asked(tmp_path, spec, rows)
    assert np.abs(found - plain.predict_proba(frame[test])).max() < 1e-9


def test_the_budget_of_a_search_does_not_depend_on_the_cores(tmp_path):
    found = {}
    for jobs in (1, 3, 16):
        search = {"parameters": {"C": [0.01, 0.1, 1.0, 10.0]}, "folds": 2, "max_fits": 5}
        training, _ = asked(
            tmp_path / str(jobs), a_spec(search=search, resources={"jobs": jobs}), table(1, missing=False)
        )
        found[jobs] = (training.artifact_digest, training.trials, training.parameters)
    assert len(set(map(str, found.values()))) == 1
    assert found[1][1] == 4


@given(st.permutations(["data", "split", "features", "estimator", "metrics", "seed"]), st.booleans())
@settings(max_examples=20, deadline=None, derandomize=True, database=None)
def test_the_digest_minds_no_order_of_keys_but_that_of_derived_columns(order, swapped):
    keys = {"split": {"method": "random"}, "seed": 4}
    derived = {"sum": "a + b", "gap": "a - b"}
    own = dict(reversed(derived.items())) if swapped else derived
    one = a_spec(**{key: keys[key] for key in order if key in keys}, features={"derived": own})
    other = a_spec(**keys, features={"derived": derived})
    assert (inputs_digest(one, (), None, {}) == inputs_digest(other, (), None, {})) is not swapped
