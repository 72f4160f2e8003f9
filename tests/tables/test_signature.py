"""One rule for reading a value: every way in gives the column that training read, or a refusal that names it."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa
import pytest

from bot.errors import UserError
from bot.records.training import InputColumn, TableSignature
from bot.specs.data import MISSING
from bot.specs.signature import sign
from bot.specs.values import as_column, json_values, plain

MOMENT = dt.datetime(2024, 5, 1, 15, 0, 7)
ZONED = MOMENT.replace(tzinfo=dt.UTC)
# use, Arrow column as a file holds it, and what a caller may not send for it
COLUMNS = {
    "number": ("numeric", pa.array([2.5, None, -1e9]), ["abc", True, "1,5"]),
    "NaN": ("categorical", pa.array(np.array([0.1, np.nan, 2.0])), ["abc"]),
    "single precision": ("categorical", pa.array([0.1, None], pa.float32()), ["abc"]),
    "whole number as a number": ("numeric", pa.array([3, None, -4], pa.int8()), ["abc"]),
    "whole number as a category": ("categorical", pa.array([3, None, 2**62]), ["abc", 2.5, float(2**62), True]),
    "unsigned": ("categorical", pa.array([2**63 + 1, None], pa.uint64()), ["abc", 2.5]),
    "truth": ("categorical", pa.array([True, None, False]), ["maybe", 2, 0.5]),
    "truth as a number": ("numeric", pa.array([True, None, False]), ["maybe", 2]),
    "text": ("categorical", pa.array(["a", None, "007"]), [2.5, True]),
    "large text": ("categorical", pa.array(["a", None], pa.large_string()), [2.5]),
    "a dictionary": ("categorical", pa.array(["a", None, "b"]).dictionary_encode(), [2.5]),
    "date": ("categorical", pa.array([MOMENT.date(), None]), [19000, "yesterday", "2024-05-01T15:00:00"]),
    "date in parts": ("datetime", pa.array([MOMENT.date(), None]), [19000, "yesterday"]),
    "moment": ("datetime", pa.array([MOMENT, None], pa.timestamp("ns")), [19000, "2024-05-01T15:00:00Z", "noon"]),
    "zoned moment": ("datetime", pa.array([ZONED, None], pa.timestamp("s", "Asia/Tokyo")), [1, "2024-05-01T15:00:00"]),
    "zoned category": ("categorical", pa.array([ZONED, None], pa.timestamp("us", "UTC")), [1, "2024-05-01T15:00:00"]),
    "time of day": ("categorical", pa.array([dt.time(8, 30), None], pa.time32("s")), [8, "half past eight"]),
    "decimal as a category": ("categorical", pa.array([decimal.Decimal("2.50"), None]), ["abc", 2.555, True]),
    "decimal as a number": ("numeric", pa.array([decimal.Decimal("2.50"), None]), ["abc"]),
}  # fmt: skip


def signed(use: str, values: pa.Array) -> tuple[TableSignature, pa.Array]:
    """The signature of a column, and the column as the pipeline was fitted on it."""
    signature = sign([InputColumn(name="x", kind=use)], pa.table({"x": values}), MISSING, frozenset())
    return signature, as_column(values, signature.columns[0], MISSING)


@pytest.mark.parametrize(("use", "values", "_"), COLUMNS.values(), ids=COLUMNS.keys())
def test_every_way_in_gives_the_column_that_training_read(use, values, _):
    signature, read = signed(use, values)
    column = signature.columns[0]
    sent = json_values(values)
    words = [str(one).lower() if isinstance(one, bool) else str(one) for one in sent if one is not None]
    ways = [values, pa.chunked_array([values]), read, sent]
    if column.datatype == "BYTES" or use == "numeric" or column.kind in ("integer", "boolean"):
        ways.append([None if one is None else words.pop(0) for one in sent])
    for way in ways:
        found = as_column(way, column, MISSING)
        assert plain(found).to_pylist() == plain(read).to_pylist() and found.type == read.type, way


@pytest.mark.parametrize(("use", "values", "_"), COLUMNS.values(), ids=COLUMNS.keys())
@pytest.mark.parametrize("spelling", [None, float("nan"), "", "NA", "NaN", "null"])
def test_missing_is_one_thing_however_it_is_spelt(use, values, _, spelling):
    signature, read = signed(use, values)
    found = as_column([spelling, spelling], signature.columns[0], MISSING)
    assert found.null_count == 2 and found.type == read.type


@pytest.mark.parametrize(("use", "values", "wrong"), COLUMNS.values(), ids=COLUMNS.keys())
def test_what_the_column_never_held_is_refused_with_its_name_and_an_example(use, values, wrong):
    signature, _ = signed(use, values)
    for one in wrong:
        if use == "numeric" and one is True:
            continue  # true counts as 1 among numbers
        with pytest.raises(UserError, match=r"the column 'x' holds .*, for example ") as caught:
            as_column([one], signature.columns[0], MISSING)
        assert str(one) not in caught.value.message.partition("for example")[0]


def test_half_the_precision_is_another_category():
    """0.1 in a tensor of FP32 is 0.10000000149 in double."""
    signature, _ = signed("categorical", pa.array([0.1, 0.2]))
    with pytest.raises(UserError, match="holds numbers"):
        as_column(np.array([0.1], "<f4"), signature.columns[0], MISSING)


def test_categories_of_a_sensitive_column_are_not_named():
    columns = [InputColumn(name="x", kind="categorical"), InputColumn(name="y", kind="categorical")]
    table = pa.table({"x": ["a", "b"], "y": ["secret", "secret"]})
    found = sign(columns, table, MISSING, frozenset({"y"}))
    assert [one.categories for one in found.columns] == [("a", "b"), None]
