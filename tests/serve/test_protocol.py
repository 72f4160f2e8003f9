"""Hostile request bodies: an answer in 4xx, never an exception of another kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import UserError
from bot.serve.engine import Engine
from bot.serve.protocol import RequestError, read_call
from bot.serve.tensors import DTYPES
from tests.builders import a_training

TRAINING = a_training(inputs=("age", "income", "country"))

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), st.text(max_size=5)
)
texts = st.text(max_size=4)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
tensors = st.fixed_dictionaries(
    {},
    optional={
        "name": st.one_of(st.sampled_from(["age", "income", "country", "all"]), anything),
        "datatype": st.one_of(st.sampled_from([*DTYPES, "BYTES"]), anything),
        "shape": st.one_of(st.lists(st.integers(-1, 4), max_size=3), anything),
        "data": st.one_of(st.lists(scalars, max_size=4), anything),
        "parameters": st.one_of(st.fixed_dictionaries({"binary_data_size": anything}), anything),
    },
)
bodies = st.one_of(
    anything,
    st.fixed_dictionaries(
        {"inputs": st.one_of(st.lists(tensors, max_size=4), anything)},
        optional={"id": anything, "outputs": anything, "parameters": anything},
    ),
)


@settings(max_examples=400, deadline=None)
@given(bodies, st.binary(max_size=20), st.one_of(st.none(), st.integers(-5, 500).map(str), st.text(max_size=5)))
def test_any_body_is_read_or_refused(body: Any, tail: bytes, length: str | None) -> None:
    """Whatever the JSON, the binary tail and the header say."""
    try:
        call = read_call(orjson.dumps(body) + tail, TRAINING, length, max_rows=100)
    except RequestError as error:
        assert 400 <= error.status < 500
        assert error.message
    else:
        assert set(TRAINING.inputs) <= set(call.columns)
        assert {len(column) for column in call.columns.values()} == {call.n}


@settings(max_examples=30, deadline=None)
@given(values=st.lists(scalars, min_size=1, max_size=3), kind=st.sampled_from(["churn", "churn-onnx"]))
def test_any_values_are_predicted_or_refused(engines: dict[str, Engine], values: list[Any], kind: str) -> None:
    """A column of any mixture of values gives predictions or a sentence, in both engines."""
    n = len(values)
    columns = {"age": values, "income": [1.0] * n, "country": ["DE"] * n}
    try:
        predicted, probabilities = engines[kind].predict(columns)
    except UserError as error:
        assert error.message
    else:
        assert len(predicted) == n
        assert np.isfinite(probabilities).all()


@settings(max_examples=30, deadline=None)
@given(ages=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(-999, 999)), min_size=1, max_size=5),
       countries=st.data())  # fmt: skip
def test_both_engines_agree_on_any_row(engines: dict[str, Engine], ages: list[Any], countries: Any) -> None:
    """The short way into onnxruntime is the way through Arrow and scikit-learn, to 1e-4."""
    n = len(ages)
    words = countries.draw(st.lists(st.sampled_from(["DE", "ES", "", None, "nowhere"]), min_size=n, max_size=n))
    columns = {"age": ages, "income": [20000.5] * n, "country": words}
    one, two = engines["churn"].predict(columns), engines["churn-onnx"].predict(columns)
    assert one[1] == pytest.approx(two[1], abs=1e-4)
