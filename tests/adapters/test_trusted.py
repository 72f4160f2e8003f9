"""Only listed types are ever loaded from a model file, and everything that training makes is on the list."""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import time
import warnings
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from bot.adapters.predictor import read_skops
from bot.errors import UserError
from bot.specs.estimators import CLASSIFIERS, REGRESSORS
from bot.train.canonical import canonical_skops

RNG = np.random.default_rng(0)
X = np.abs(RNG.normal(size=(60, 3)))
CLASSES, NUMBERS = (X[:, 0] > 0.6).astype(int), X[:, 0] + 0.1


class Planted:
    """A type that no list names."""


def refused(data: bytes) -> UserError:
    with pytest.raises(UserError) as caught:
        read_skops(data)
    return caught.value


def test_a_planted_class_is_refused_by_name():
    error = refused(skops.io.dumps({"x": Planted()}))
    assert error.code == "type_refused" and "Planted" in error.message


@pytest.mark.parametrize("function", [np.load, subprocess.run, np.loadtxt], ids=["numpy.load", "subprocess", "loadtxt"])
def test_functions_that_reach_the_world_are_refused(function):
    error = refused(skops.io.dumps(FunctionTransformer(function)))
    assert error.code == "type_refused" and function.__name__ in error.message


def edited(edit) -> bytes:
    """A model file whose schema was changed."""
    with zipfile.ZipFile(io.BytesIO(canonical_skops(LogisticRegression().fit(X, CLASSES)))) as file:
        members = {name: file.read(name) for name in file.namelist()}
    schema = json.loads(members["schema.json"])
    edit(schema)
    members["schema.json"] = json.dumps(schema).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


NODES = {
    "a listed type under another kind of node": {
        "__loader__": "FunctionNode",
        "__module__": "numpy",
        "__class__": "ndarray",
    },
    "a function hidden in a type node": {"__loader__": "TypeNode", "__module__": "os", "__class__": "system"},
    "an operator": {"__loader__": "OperatorFuncNode", "__module__": "operator", "__class__": "attrgetter"},
    "a method": {"__loader__": "MethodNode", "__module__": "builtins", "__class__": "function"},
    "a constructor": {"__loader__": "ConstructorFromReduceNode", "__module__": "pathlib", "__class__": "Path"},
    "a node without a kind": {"__module__": "os", "__class__": "system"},
    "an unknown kind": {"__loader__": "NewNode", "__module__": "builtins", "__class__": "str"},
}


@pytest.mark.parametrize("node", NODES.values(), ids=NODES.keys())
def test_crafted_schemas_are_refused_before_anything_is_built(node):
    assert (
        refused(edited(lambda schema: schema["content"].update(evil={**node, "content": "x"}))).code == "type_refused"
    )


@pytest.mark.parametrize(
    "data",
    [b"", b"not a zip", canonical_skops(LogisticRegression().fit(X, CLASSES))[:-100]],
    ids=["empty", "text", "cut short"],
)
def test_a_broken_file_is_an_error_for_people(data):
    assert refused(data).code == "artifact_invalid"


def test_a_missing_array_is_an_error_for_people():
    assert refused(edited(lambda schema: schema["content"]["content"]["coef_"].update(file="gone.npy"))).code == (
        "artifact_invalid"
    )


@pytest.mark.parametrize("name", [*CLASSIFIERS, *REGRESSORS])
def test_every_listed_estimator_is_written_canonically_and_loads_again(name):
    module, _, kind = {**CLASSIFIERS, **REGRESSORS}[name].partition(":")
    estimator = getattr(importlib.import_module(module), kind)()
    fast = {"n_estimators": 3, "max_iter": 20, "random_state": 0}
    if name == "OrthogonalMatchingPursuitCV":
        fast["max_iter"] = 2  # the number of columns that it may use
    estimator.set_params(**{key: value for key, value in fast.items() if key in estimator.get_params()})
    x = (X * 2).astype(int) if name == "CategoricalNB" else X
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = CLASSES if name in CLASSIFIERS else NUMBERS
        data = canonical_skops(estimator.fit(x, y))
        loaded = read_skops(data)
        # array_equal but for two linear ones, whose matrix product depends on the memory order of the loaded array
        assert np.allclose(loaded.predict(x), estimator.predict(x), rtol=1e-9, atol=1e-9)
        assert data == canonical_skops(clone(estimator).fit(x, y))


@pytest.mark.parametrize("name", ["KNeighborsClassifier", "KNeighborsRegressor", "RadiusNeighborsRegressor", "SVC"])
def test_a_sparse_matrix_in_an_estimator_is_written_canonically_and_loads_again(name, monkeypatch):
    """Neighbours of one-hot categories keep their training rows as a sparse matrix, which is a zip with the time."""
    from scipy.sparse import csr_matrix

    module, _, kind = {**CLASSIFIERS, **REGRESSORS}[name].partition(":")
    x, y = csr_matrix(np.where(np.abs(X) < 0.5, 0, X)), CLASSES if name in CLASSIFIERS else NUMBERS
    estimator = getattr(importlib.import_module(module), kind)().fit(x, y)
    data = canonical_skops(estimator)
    assert np.array_equal(read_skops(data).predict(x), estimator.predict(x), equal_nan=True)
    monkeypatch.setattr("time.localtime", lambda *_: time.struct_time((2031, 5, 6, 7, 8, 9, 1, 126, 0)))
    assert canonical_skops(clone(estimator).fit(x, y)) == data
