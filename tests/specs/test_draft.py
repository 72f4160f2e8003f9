"""A first model.yaml is drafted from the data, and is valid as it stands."""

from __future__ import annotations

import pyarrow as pa
import pytest

from bot.errors import UserError
from bot.specs.conformity import check_contract
from bot.specs.contract import read_contract
from bot.specs.draft import Described, draft_contract, draft_model, model_name, row_id, task_of
from bot.specs.model import read_model_spec

N = 100
TABLE = pa.table(
    {
        "key": [f"k{n}" for n in range(N)],
        "size": [n / 7 for n in range(N)],
        "kind": ["abc"[n % 3] for n in range(N)],
        "flag": [n % 2 == 0 for n in range(N)],
        "some": [None if n % 5 else n for n in range(N)],
    }
)


@pytest.mark.parametrize(("target", "task"), [("size", "regression"), ("kind", "multiclass"), ("flag", "binary")])
def test_the_task_is_found_and_the_draft_is_valid(target, task):
    text = draft_model(TABLE, Described("data/x.parquet"), target, "ana")
    spec = read_model_spec(text.encode(), "models/x/model.yaml")
    assert (spec.task, spec.data.row_id, spec.data.target) == (task, "key", target)


def test_the_data_keep_the_contract_that_is_drafted_from_them():
    assert check_contract(TABLE, read_contract(draft_contract(TABLE).encode(), "schema.yaml")) == ()


@pytest.mark.parametrize(
    ("values", "message"), [(["a"] * 9, "fewer than two"), ([f"t{n}" for n in range(99)], "99 different texts")]
)
def test_a_target_that_cannot_be_predicted_is_refused(values, message):
    with pytest.raises(UserError, match=message):
        task_of(pa.chunked_array([values]))


KEYS = {
    "a number called id": ({"x": [3, 1, 2], "Sample Number": [7, 8, 9]}, "Sample Number"),
    "the first column": ({"place": [3, 1, 2], "x": [1, 1, 1]}, "place"),
    "text": ({"x": [1, 1, 1], "who": ["a", "b", "c"]}, "who"),
    "numbers that happen to differ are no id": ({"x": [1, 1, 1], "price": [3, 1, 2]}, "(content)"),
    "nothing": ({"a": [1, 1]}, "(content)"),
}


@pytest.mark.parametrize(("columns", "found"), KEYS.values(), ids=KEYS.keys())
def test_a_row_id_is_found_or_the_content_is_it(columns, found):
    assert row_id(pa.table(columns), "b") == found


FRACTIONS = {"zeros and ones": ([0.0, 1.0] * 9, "binary"), "grades": ([1.0, 2.0, 3.0] * 9, "multiclass")}


@pytest.mark.parametrize(("values", "task"), FRACTIONS.values(), ids=FRACTIONS.keys())
def test_whole_numbers_that_missing_values_made_fractions_are_classes(values, task):
    assert task_of(pa.chunked_array([values])) == task


@pytest.mark.parametrize(
    ("path", "name"), [("data/Churn 2024.csv", "churn-2024"), ("data/a/b/", "b"), ("data/___.csv", "model")]
)
def test_a_model_is_named_after_its_data(path, name):
    assert model_name(path) == name
