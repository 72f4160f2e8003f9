"""The data contract: what breaks it is named with counts and row numbers, and never with sensitive values."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.specs.conformity import check_contract
from bot.specs.contract import Contract, read_contract
from tests.real_data import fetch

ROOT = Path(__file__).parents[2]


def contract(text: str) -> Contract:
    return read_contract(text.encode(), "schema.yaml")


def column(rule: str) -> Contract:
    return contract(f"columns:\n  a: {rule}\n")


def broken(rule: str, values, kind=None) -> list[str]:
    table = pa.table({"a": pa.array(values, kind)})
    return [str(one) for one in check_contract(table, column(rule))]


DAY = datetime(2026, 1, 1)


@pytest.mark.parametrize(
    ("rule", "values", "message"),
    [
        ("{dtype: int64}", [1, 2], None),
        ("{dtype: float64}", [1, 2], None),
        ("{dtype: int64}", [1.5], "a: the type is double, not int64"),
        ("{dtype: str}", [1], "a: the type is int64, not str"),
        ("{dtype: bool}", [True], None),
        ('{dtype: "datetime64[ns]"}', [DAY], None),
        ('{dtype: "datetime64[ns]"}', ["2026-01-01"], "a: the type is string, not datetime64[ns]"),
        ("{dtype: int64}", [None], "a: 1 value is missing (rows 1)"),
        ("{dtype: int64, nullable: true}", [None, 1], None),
        ("{nullable: false}", [1.0, float("nan")], "a: 1 value is missing (rows 2)"),
        ("{unique: true}", [1, 2, 1, 3, 2], "a: 4 values are not unique, for example 1, 2 (rows 1, 2, 3, 5)"),
        ("{greater_than: 0}", [1, 0, -1], "a: 2 values are not above 0, for example 0, -1 (rows 2, 3)"),
        ("{greater_than_or_equal_to: 0}", [1, 0, -1], "a: 1 value is below 0, for example -1 (rows 3)"),
        ("{less_than: 1}", [0, 1], "a: 1 value is not below 1, for example 1 (rows 2)"),
        ("{less_than_or_equal_to: 1}", [0, 2], "a: 1 value is above 1, for example 2 (rows 2)"),
        ("{equal_to: 1}", [1, 2], "a: 1 value is not equal to 1, for example 2 (rows 2)"),
        ("{not_equal_to: 1}", [1, 2], "a: 1 value is equal to 1, for example 1 (rows 1)"),
        ("{in_range: {min_value: 0, max_value: 1}}", [0, 1, 2], "a: 1 value is outside [0, 1], for example 2 (rows 3)"),
        (
            "{in_range: {min_value: 0, max_value: 1, include_max: false}}",
            [0, 1],
            "a: 1 value is outside [0, 1), for example 1 (rows 2)",
        ),
        ('{in_range: {min_value: "2026-01-02", max_value: "2026-02-01"}}', [DAY], "outside [2026-01-02, 2026-02-01]"),
        ("{isin: [x, y]}", ["x", "z"], "a: 1 value is not among the allowed values, for example 'z' (rows 2)"),
        ("{isin: [1, 2]}", [1, 3], "a: 1 value is not among the allowed values, for example 3 (rows 2)"),
        ("{notin: [x]}", ["x", "z"], "a: 1 value is among the forbidden values, for example 'x' (rows 1)"),
        (
            '{str_matches: "[a-z]+$"}',
            ["ab", "a1"],
            "a: 1 value is not of the form '[a-z]+$', for example 'a1' (rows 2)",
        ),
        ("{str_contains: b}", ["ab", "a"], "a: 1 value is without 'b', for example 'a' (rows 2)"),
        ("{str_startswith: a}", ["ab", "b"], "a: 1 value is not starting with 'a', for example 'b' (rows 2)"),
        ("{str_endswith: b}", ["ab", "a"], "a: 1 value is not ending with 'b', for example 'a' (rows 2)"),
        ("{str_length: {min_value: 2, max_value: 3}}", ["ab", "a"], "a: 1 value is not of 2 to 3 characters"),
        ("{unique_values_eq: [x, y]}", ["x", "x"], "a: these values do not occur: 'y'"),
        ("{greater_than: 0}", ["x"], "a: the values cannot be compared"),
        ("{checks: {isin: [x]}}", ["y"], "not among the allowed values"),
        ("{checks: [{value: 0, options: {check_name: greater_than}}]}", [0], "not above 0"),
        ("{nullable: true, isin: [x]}", [None, "x"], None),
    ],
)
def test_each_condition(rule, values, message):
    found = broken(rule, values)
    assert found if message else not found, found
    if message:
        assert message in found[0]


def test_categories_in_a_dictionary_are_checked_like_text():
    assert broken("{dtype: str, isin: [x]}", pa.array(["x", "y"]).dictionary_encode())[0].startswith(
        "a: 1 value is not"
    )


def test_only_the_first_rows_are_listed():
    assert broken("{greater_than: 0}", [0] * 100)[0].endswith("(rows 1, 2, 3, 4, 5, ...)")


@given(st.lists(st.text(min_size=6, max_size=12, alphabet="qwxyz"), min_size=1, max_size=5))
def test_values_of_a_sensitive_column_never_appear(values):
    rule = (
        "{sensitive: true, isin: [ok], str_matches: '[0-9]', str_length: {max_value: 1}, unique: true, greater_than: 3}"
    )
    texts = broken(rule, values)
    assert texts
    assert not [value for value in values for text in texts if value in text]


def test_the_shape_of_the_table():
    text = "strict: true\nordered: true\nmetadata: {min_rows: 3, max_rows: 1}\ncolumns:\n  a: {}\n  b: {}\n  c: {}\n"
    table = pa.table({"b": [1, 2], "a": [1, 2], "d": [1, 2]})
    assert [str(one) for one in check_contract(table, contract(text))] == [
        "c: the column is not there",
        "d: the column is not in the contract",
        "the columns must stand in this order: a, b",
        "2 rows; at least 3 are needed",
        "2 rows; at most 1 are expected",
    ]


def test_columns_by_pattern_and_rows_that_repeat():
    text = "unique: [a, b]\ncolumns:\n  a: {}\n  '[bc]': {regex: true, greater_than: 1}\n"
    table = pa.table({"a": [1, 1], "b": [2, 2], "c": [1, 2]})
    assert [str(one) for one in check_contract(table, contract(text))] == [
        "c: 1 value is not above 1, for example 1 (rows 1)",
        "1 rows repeat another row's a, b",
    ]


def test_freshness_is_judged_only_when_a_time_is_given():
    rule = contract("metadata: {freshness: {column: a, max_age_days: 2}}\ncolumns:\n  a: {}\n")
    table = pa.table({"a": [DAY]})
    assert not check_contract(table, rule)
    assert not check_contract(table, rule, now=datetime(2026, 1, 2, tzinfo=UTC))
    (found,) = check_contract(table, rule, now=datetime(2026, 1, 9, tzinfo=UTC))
    assert str(found) == "a: the newest row is 8 days old; at most 2"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("columns:\n  a: {dtype: int46}\n", "unknown dtype 'int46'", "Did you mean `int64`?"),
        ("columns:\n  a: {nulable: true}\n", "unknown key `columns.a.nulable`", "Did you mean `nullable`?"),
        ("columns:\n  a: {checks: {isinn: [1]}}\n", "unknown key", "Did you mean `isin`?"),
        ("columns: {}\n", "at least 1", None),
        ("columns:\n  a: {checks: [{value: 1}]}\n", "without `options.check_name`", "isin"),
    ],
)
def test_a_mistake_in_the_contract_is_named_at_its_place(text, message, hint):
    with pytest.raises(UserError, match=r"schema\.yaml:") as caught:
        contract(text)
    assert message in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


def tables(data: Path):
    read = pyarrow.parquet.read_table
    months = [read(path) for path in sorted((data / "flights").glob("*.parquet"))]
    yield "flight-delays", pa.concat_tables([*months, read(ROOT / "models/flight-delays/rehearsal/2013-03.parquet")])
    yield "accident-severity", read(data / "accidents.parquet")
    yield "bike-rentals", pyarrow.csv.read_csv(data / "bikes.csv")


def test_the_data_of_this_repository_keep_their_contracts(tmp_path):
    for name, table in tables(fetch(tmp_path) / "data"):
        file = f"models/{name}/schema.yaml"
        assert check_contract(table, read_contract((ROOT / file).read_bytes(), file)) == (), name
