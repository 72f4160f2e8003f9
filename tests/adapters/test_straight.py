"""The parts of a pipeline, called one after the other, answer what the pipeline answers, bit by bit."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.pipeline import Pipeline

from bot.adapters.predictor import read_skops
from bot.adapters.straight import Straight, straight
from bot.specs.frame import frame
from bot.train.canonical import canonical_skops
from bot.train.inputs import resolve_inputs
from bot.train.preprocess import needs_of, order_for_native, preprocessor
from tests.train.small import a_spec, rows

NOTES = ["red shoe left", "blue shoe", "red hat and scarf", ""]
ODD = pa.table({  # nothing known, nothing ever seen, nothing finite
    "signal": [None, 1e300, float("inf")], "noise": [float("nan"), -1e9, 0.5], "amount": [None, 0.0, 1.0],
    "shop": [None, "nowhere", ""], "note": [None, "unseen words only", ""],
})  # fmt: skip
FEATURES = {
    "plain numbers and categories": "{numeric: [signal, noise], categorical: [shop]}",
    "numbers only": "{numeric: [signal, noise, amount]}",
    "categories only": "{categorical: [shop]}",
    "indicators and powers": "{numeric: [{columns: [signal], indicator: true, polynomial: 2}], categorical: [shop]}",
    "bins": "{numeric: [{columns: [noise, signal], bins: 4}], categorical: [shop]}",
    "splines": "{numeric: [{columns: [noise], splines: 4}, {columns: [amount]}]}",
    **{
        f"scaled by {scale}": f"{{numeric: [{{columns: [signal, noise], scale: {scale}}}], categorical: [shop]}}"
        for scale in ("robust", "min_max", "quantile", "power", "none")
    },
    **{
        f"{encode} codes": f"{{numeric: [amount], categorical: [{{columns: [shop], encode: {encode}}}]}}"
        for encode in ("one_hot", "ordinal", "target")
    },
    "the most frequent category": "{numeric: [amount], categorical: [{columns: [shop], impute: most_frequent}]}",
    "words as components": "{numeric: [amount], text: [{columns: [note], components: 2}]}",
    "sparse words": "{numeric: [amount], text: [note]}",
    "derived": "{numeric: [signal], derived: {ratio: amount / noise}}",
}
ESTIMATORS = {
    "LogisticRegression": "sklearn.linear_model", "HistGradientBoostingClassifier": "sklearn.ensemble",
    "RandomForestClassifier": "sklearn.ensemble", "GaussianNB": "sklearn.naive_bayes",
    "LinearSVC": "sklearn.svm", "Ridge": "sklearn.linear_model",
}  # fmt: skip


def a_table() -> pa.Table:
    table = rows(120)
    return table.append_column("note", pa.array([NOTES[i % 4] for i in range(len(table))]))


def answer(model: Any, framed: Any) -> str:
    """Every digit of the probabilities, else of the predictions; what is said of a row that cannot be answered."""
    try:
        return repr(getattr(model, "predict_proba", model.predict)(framed).tolist())
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize(
    ("features", "estimator"),
    [(name, estimator) for name in FEATURES for estimator in list(ESTIMATORS)[:2]]
    + [("plain numbers and categories", estimator) for estimator in list(ESTIMATORS)[2:]],
)
def test_every_answer_is_the_pipelines_own(features: str, estimator: str) -> None:
    """For one row, for many, and for what training never saw."""
    table = a_table()
    inputs = order_for_native(resolve_inputs(a_spec(features=FEATURES[features]), table))
    last = getattr(importlib.import_module(ESTIMATORS[estimator]), estimator)()
    pipeline = Pipeline([("prepare", preprocessor(inputs, needs_of(last), seed=0)), ("predict", last)])
    target = (table["outcome"].to_numpy() == "yes").astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = canonical_skops(pipeline.fit(frame(table, inputs.columns), target))
        whole, parts = read_skops(data), straight(read_skops(data))
        assert hasattr(parts, "predict_proba") == hasattr(whole, "predict_proba")
        for some in (table.slice(3, 1), table.slice(7, 20), table, *(ODD.slice(i, 1) for i in range(3)), ODD):
            framed = frame(some, inputs.columns)
            assert answer(parts, framed) == answer(whole, framed)


def test_what_is_built_in_another_way_is_left_as_it_is() -> None:
    table = a_table()
    inputs = resolve_inputs(a_spec(features=FEATURES["plain numbers and categories"]), table)
    framed = frame(table, inputs.columns)
    last = importlib.import_module("sklearn.linear_model").Ridge()
    prepare = preprocessor(inputs, needs_of(last), seed=0)
    fitted = Pipeline([("prepare", prepare), ("predict", last)]).fit(framed, np.arange(len(table)))
    weighing = type(prepare)(prepare.transformers, transformer_weights={"0": 2.0}).fit(framed)
    others = [last, prepare, Pipeline([("only", prepare)]), Pipeline([("prepare", weighing), ("predict", last)])]
    assert all(straight(one) is one for one in others)
    assert isinstance(straight(fitted), Straight)
