"""An artifact is data in its contents, too: what a listed type could be told to read, run or reach is refused.

Each case is a fitted model with one thing changed; the same model without the change loads.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, OneHotEncoder, SplineTransformer
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import Tree

from bot.adapters.contents import NARROW
from bot.adapters.predictor import read_skops
from bot.adapters.trusted import ALLOWED
from bot.errors import UserError

RNG = np.random.default_rng(0)
X = np.abs(RNG.normal(size=(80, 3)))
Y = (X[:, 0] > 0.6).astype(int)
THREE = (X[:, 0] * 3).astype(int).clip(0, 2)
WORDS = ["one two three", "two three four", "five six seven"] * 20
Change = Callable[[Any], Any]


def loads(model: Any) -> Any:
    return read_skops(skops.io.dumps(model))


def refused(model: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        loads(model)
    return caught.value


def set_to(**attributes: Any) -> Change:
    """Change: attributes of the object."""

    def change(model: Any) -> None:
        vars(model).update(attributes)

    return change


VECTORIZER: dict[str, Change] = {
    "reads the files that callers name": set_to(input="filename"),
    "reads file objects": set_to(input="file"),
    "calls what it is given": set_to(analyzer=np.ravel),
    "has a tokenizer": set_to(tokenizer=np.ravel),
    "has a preprocessor": set_to(preprocessor=np.ravel),
    "compiles a pattern that never ends": set_to(token_pattern=r"(a+)+$"),
    "takes files apart by its pattern": set_to(token_pattern=r"(?s)\A.{7}(.)"),
    "knows another encoding": set_to(encoding="unicode_escape"),
    "hides its own method": set_to(decode=np.ravel),
    "hides its own method by another estimator": set_to(transform=Ridge()),
    "holds an attribute that Python gives meaning": set_to(__sklearn_tags__=1),
    "names a column twice": lambda model: model.vocabulary_.update(one=0, two=0),
    "names a column far outside": lambda model: model.vocabulary_.update(one=10**9),
    "names a column before the first": lambda model: model.vocabulary_.update(one=-1),
}


@pytest.mark.parametrize("change", VECTORIZER.values(), ids=VECTORIZER.keys())
def test_a_text_vectorizer_reads_text_and_nothing_else(change: Change) -> None:
    made = TfidfVectorizer().fit(WORDS)
    assert (loads(made).transform(WORDS) != made.transform(WORDS)).nnz == 0
    change(made)
    assert refused(made).code == "value_refused"


def test_no_file_is_read_whatever_a_caller_sends(tmp_path: Path) -> None:
    """The attack as it was shown: a path as the text of a request, the file's characters as the answer."""
    secret = tmp_path / "secret"
    secret.write_text("Bearer-Token")
    column = FunctionTransformer(np.ravel)
    vectorizer = TfidfVectorizer(input="filename", token_pattern=r"(?s)\A.{3}(.)", vocabulary=["r", "x"])
    prepare = ColumnTransformer([("0_0", make_pipeline(column, vectorizer), [0])])
    table = np.array([[str(secret)]] * 4, dtype=object)
    model = make_pipeline(prepare, LogisticRegression()).fit(table, [0, 1, 0, 1])
    error = refused(model)
    assert error.code == "value_refused" and "Bearer" not in str(error) and "TfidfVectorizer.input" in error.message


OTHERS: dict[str, tuple[Callable[[], Any], Change]] = {
    "a pipeline with a cache folder": (
        lambda: make_pipeline(KBinsDiscretizer(), LogisticRegression()).fit(X, Y),
        set_to(memory="/tmp/cache"),
    ),
    "thousands of threads": (lambda: RandomForestClassifier(3).fit(X, Y), set_to(n_jobs=10_000)),
    "lines in the log": (lambda: RandomForestClassifier(3).fit(X, Y), set_to(verbose=99)),
    "a parameter that scikit-learn does not know": (lambda: LogisticRegression().fit(X, Y), set_to(solver="evil")),
    "a function where none belongs": (lambda: LogisticRegression().fit(X, Y), set_to(coef_=np.ravel)),
    "a function in a list": (lambda: LogisticRegression().fit(X, Y), set_to(extra=[{"a": (np.ravel,)}])),
    "a type where none belongs": (lambda: LogisticRegression().fit(X, Y), set_to(extra=np.float64)),
    "a method that is hidden": (lambda: LogisticRegression().fit(X, Y), set_to(predict=np.ravel)),
    "an option that is hidden": (lambda: LogisticRegression().fit(X, Y), set_to(_get_tags="x", _repr_html_="x")),
    "a function with options": (lambda: FunctionTransformer(np.ravel).fit(X), set_to(kw_args={"order": "F"})),
    "a function half called": (
        lambda: FunctionTransformer(np.ravel).fit(X),
        set_to(func=functools.partial(np.ravel, order="F")),
    ),
    "another function for the target": (
        lambda: TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1).fit(X, X[:, 0]),
        set_to(inverse_func=np.ravel),
    ),
    "distances that are read from the inputs": (
        lambda: KNeighborsClassifier().fit(X, Y),
        set_to(metric="precomputed"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "change"), OTHERS.values(), ids=OTHERS.keys())
def test_values_that_no_training_writes_are_refused(make: Callable[[], Any], change: Change) -> None:
    model = make()
    loads(model)
    change(model)
    assert refused(model).code == "value_refused"


def with_nodes(model: Any, change: Callable[[Any], None]) -> None:
    """The model's tree with other nodes."""
    old = model.tree_
    state = old.__getstate__()
    nodes = state["nodes"].copy()
    change(nodes)
    new = Tree(old.n_features, old.n_classes, old.n_outputs)
    new.__setstate__({**state, "nodes": nodes})
    model.tree_ = new


def node(field: str, value: int) -> Change:
    return lambda model: with_nodes(model, lambda nodes: nodes[field].__setitem__(0, value))


TREES: dict[str, Change] = {
    "a child far outside": node("left_child", 10**9),
    "another child far outside": node("right_child", 10**9),
    "a child before the first": node("left_child", -7),
    "a walk without end": node("left_child", 0),
    "a column far outside": node("feature", 10**6),
    "a column before the first": node("feature", -3),
    "fewer inputs than it splits by": set_to(n_features_in_=1),
}


@pytest.mark.parametrize("change", TREES.values(), ids=TREES.keys())
def test_a_tree_is_walked_inside_its_own_nodes(change: Change) -> None:
    model = DecisionTreeClassifier(max_depth=3).fit(X, Y)
    loads(model)
    change(model)
    assert refused(model).code == "value_refused"


@pytest.mark.parametrize("change", TREES.values(), ids=TREES.keys())
def test_so_is_each_tree_of_a_forest(change: Change) -> None:
    model = RandomForestClassifier(3, max_depth=3).fit(X, Y)
    loads(model)
    change(model.estimators_[1])
    assert refused(model).code == "value_refused"


def predictor(field: str, value: int) -> Change:
    return lambda model: model._predictors[0][0].nodes[field].__setitem__(0, value)


def boosted() -> Any:
    x = np.column_stack([X, (X[:, 0] * 5).astype(int)])
    return HistGradientBoostingClassifier(max_iter=3, categorical_features=[3]).fit(x, Y)


def gradient() -> Any:
    return GradientBoostingClassifier(n_estimators=3).fit(X, THREE)


def neighbours() -> Any:
    return KNeighborsClassifier(algorithm="kd_tree", leaf_size=5).fit(X, Y)


def in_tree(position: int, change: Callable[[Any], None]) -> Change:
    def changed(model: Any) -> None:
        state = list(model._tree.__getstate__())
        state[position] = np.array(state[position])
        change(state[position])
        new = type(model._tree).__new__(type(model._tree))
        new.__setstate__(tuple(state))
        model._tree = new

    return changed


def hot() -> Any:
    return OneHotEncoder(max_categories=2).fit([["a"], ["a"], ["b"], ["c"]])


STRUCTURES: dict[str, tuple[Callable[[], Any], Change]] = {
    "histogram: a child outside": (boosted, predictor("left", 10**6)),
    "histogram: a walk without end": (boosted, predictor("right", 0)),
    "histogram: a column outside": (boosted, predictor("feature_idx", 99)),
    "histogram: a set that is not there": (
        boosted,
        lambda model: [part.nodes["bitset_idx"].fill(99) or part.nodes["is_categorical"].fill(1)
                       for parts in model._predictors for part in parts],
    ),
    "histogram: categories beyond the sets": (
        boosted, lambda model: model._bin_mapper.bin_thresholds_.__setitem__(0, np.array([0.0, 1e6]))),
    "histogram: fewer columns": (boosted, lambda model: setattr(model._bin_mapper, "is_categorical_", np.zeros(1))),
    "boosting: more trees a round than classes": (
        gradient, lambda model: setattr(model, "estimators_", np.hstack([model.estimators_] * 5))),
    "boosting: other trees": (
        gradient, lambda model: model.estimators_.__setitem__((0, 0), DecisionTreeClassifier().fit(X[:, :2], Y))),
    "neighbours: rows outside": (neighbours, in_tree(1, lambda rows: rows.fill(10**9))),
    "neighbours: ranges outside": (neighbours, in_tree(2, lambda nodes: nodes["idx_end"].fill(10**9))),
    "neighbours: no leaf": (neighbours, in_tree(2, lambda nodes: nodes["is_leaf"].fill(0))),
    "neighbours: fewer labels than rows": (neighbours, lambda model: setattr(model, "_y", model._y[:3])),
    "neighbours: another table": (neighbours, lambda model: setattr(model, "_fit_X", model._fit_X[:, :2])),
    "vectors: more than there are": (
        lambda: SVC().fit(X, Y), lambda model: setattr(model, "_n_support", np.array([10**6, 1], dtype=np.int32))),
    "vectors: fewer coefficients": (
        lambda: SVC().fit(X, THREE), lambda model: setattr(model, "_dual_coef_", model._dual_coef_[:1])),
    "vectors: fewer intercepts": (
        lambda: SVC().fit(X, THREE), lambda model: setattr(model, "_intercept_", model._intercept_[:1])),
    "vectors of a regression: fewer coefficients": (
        lambda: SVR().fit(X, X[:, 0]), lambda model: setattr(model, "_dual_coef_", model._dual_coef_[:, :1])),
    "categories: a column outside": (
        hot, lambda model: setattr(model, "_default_to_infrequent_mappings", [np.array([0, 10**9, 1])])),
    "categories: fewer columns": (hot, lambda model: setattr(model, "_n_features_outs", [1])),
    "splines: fewer knots": (
        lambda: SplineTransformer(3).fit(X), lambda model: setattr(model.bsplines_[0], "t", np.array([0.0, 1.0]))),
}  # fmt: skip


@pytest.mark.parametrize(("make", "change"), STRUCTURES.values(), ids=STRUCTURES.keys())
def test_numbers_that_compiled_code_trusts_are_looked_at(make: Callable[[], Any], change: Change) -> None:
    model = make()
    loads(model)
    change(model)
    assert refused(model).code == "value_refused"


def test_a_sparse_matrix_names_columns_that_it_has() -> None:
    from scipy.sparse import csr_matrix

    x = csr_matrix(np.where(X < 0.5, 0, X))
    model = KNeighborsClassifier().fit(x, Y)
    loads(model)
    model._fit_X.indices[0] = 10**6
    assert refused(model).code == "value_refused"


# Parameters that take any text or any object, and why none of them needs a row of its own.
HARMLESS = {
    ("DummyClassifier", "constant"): "an answer",
    ("HistGradientBoostingClassifier", "scoring"): "only fitting asks for it",
    ("HistGradientBoostingRegressor", "scoring"): "only fitting asks for it",
    ("RadiusNeighborsClassifier", "outlier_label"): "an answer",
    ("SimpleImputer", "fill_value"): "a value of a column",
    ("OneHotEncoder", "dtype"): "a type stands in its own place only",
    ("OrdinalEncoder", "dtype"): "a type stands in its own place only",
    ("TfidfVectorizer", "dtype"): "a type stands in its own place only",
}


def test_each_parameter_that_takes_any_text_is_narrowed_or_known_to_be_harmless() -> None:
    """Also one that a later scikit-learn brings."""
    found = set()
    for full in ALLOWED["ObjectNode"]:
        module, _, name = full.rpartition(".")
        constraints = getattr(getattr(importlib.import_module(module), name), "_parameter_constraints", {})
        for parameter, kinds in constraints.items():
            if kinds == "no_validation" or str in kinds:
                found.add((name, parameter))
    narrowed = {(name, parameter) for name, parameter in found if parameter in {**NARROW["*"], **NARROW.get(name, {})}}
    assert found - narrowed == HARMLESS.keys()
