"""Values in another type than training read do not silently mean something else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bot.errors import UserError
from bot.records.training import InputColumn
from bot.serve.engine import Quick, arrow_table, quick_tensor
from bot.serve.protocol import metadata
from bot.specs.data import MISSING
from bot.specs.frame import frame
from bot.specs.signature import signature_of
from tests.builders import a_training


def quick(column: InputColumn, values: Any) -> Any:
    """By the way without Arrow."""
    signed = signature_of(a_training(inputs=(column.name,), columns=(column,))).columns[0]
    return quick_tensor(values, Quick(column, signed, column.name), frozenset(MISSING))


def table_of(column: InputColumn, values: Any) -> Any:
    """By the way of Arrow."""
    return arrow_table({column.name: values}, signature_of(a_training(inputs=(column.name,), columns=(column,))))


def text_of(values: Any, type_: str) -> list[str]:
    """The words that a category becomes, by both ways into a model, which must agree."""
    column = InputColumn(name="season", kind="categorical", type=type_)
    slow = frame(table_of(column, values), (column,)).column("season").to_pylist()
    assert quick(column, values).ravel().tolist() == slow
    return slow


@pytest.mark.parametrize(
    ("values", "type_", "words"),
    [
        ([2, None], "int64", ["2", ""]),
        ([2.0], "int64", ["2"]),
        (np.array([2.0, 3.0]), "int64", ["2", "3"]),
        (np.array([2], "<i4"), "int64", ["2"]),
        (["2"], "int64", ["2"]),
        ([True, False], "bool", ["true", "false"]),
        ([1], "bool", ["true"]),
        (["DE", None, ""], "string", ["DE", "", ""]),
        ([7], "string", ["7"]),
        ([None, None], "int64", ["", ""]),
    ],
    ids=[
        "whole numbers", "2.0 is 2", "binary doubles", "narrower integers", "digits as text", "truth", "one is true",
        "text", "a number as text", "nothing",
    ],
)  # fmt: skip
def test_categories_keep_the_words_of_training(values: Any, type_: str, words: list[str]) -> None:
    """A category that was a whole number in training is that number's text, however the caller sends it."""
    assert text_of(values, type_) == words


@pytest.mark.parametrize(("values", "type_"), [([2.5], "int64"), (["two"], "int64")])
def test_what_was_never_a_category_of_that_type_is_refused(values: Any, type_: str) -> None:
    """Half a season is a mistake of the caller, not an unknown season."""
    column = InputColumn(name="season", kind="categorical", type=type_)
    with pytest.raises(UserError, match="season"):
        quick(column, values)
    with pytest.raises(UserError, match="season"):
        table_of(column, values)


def test_metadata_names_the_types_that_training_read() -> None:
    """A caller who follows the metadata sends what the model was trained on."""
    columns = (
        InputColumn(name="season", kind="categorical", type="int64"),
        InputColumn(name="country", kind="categorical", type="string"),
        InputColumn(name="temperature", kind="numeric", type="double"),
        InputColumn(name="at", kind="datetime", type="timestamp[us]", parts=("hour",)),
    )
    training = a_training(inputs=tuple(one.name for one in columns), columns=columns)
    inputs = metadata(training, signature_of(training), "v1.0.0", ["v1.0.0"], "sha256:x")["inputs"]
    assert [one["datatype"] for one in inputs] == ["INT64", "BYTES", "FP64", "BYTES"]


def test_dates_come_as_iso_text() -> None:
    """A date is text in a request and a time in the table."""
    column = InputColumn(name="at", kind="datetime", type="timestamp[us]", parts=("hour",))
    table = table_of(column, ["2013-03-01T17:05:00", None])
    assert pa.types.is_timestamp(table.schema.field("at").type)
    assert frame(table, (column,)).column("at__hour").to_pylist()[0] == 17
