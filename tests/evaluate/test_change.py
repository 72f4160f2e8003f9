"""The data change report and leakage, on tables that differ in known ways."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from bot.evaluate.change.contract import contract_section
from bot.evaluate.change.drift import chi_square, drifts, kolmogorov_smirnov
from bot.evaluate.change.report import Version, data_change
from bot.evaluate.change.rows import row_change
from bot.evaluate.fingerprint import fingerprints, n_duplicates
from bot.evaluate.leakage import leakage, leakage_section
from bot.records.evaluation import Section
from bot.records.plan import DataFile
from bot.specs.contract import read_contract
from tests.evaluate.worlds import a_spec, a_table

OLD_FILE = DataFile(path="data/churn.parquet", md5="0" * 32, size=10)
NEW_FILE = DataFile(path="data/churn.parquet", md5="1" * 32, size=12)


def replaced(table: pa.Table, column: str, values: object) -> pa.Table:
    return table.set_column(table.column_names.index(column), column, pa.array(values))


def report(before: pa.Table, after: pa.Table, files=((OLD_FILE,), (NEW_FILE,))) -> dict[str, Section]:
    versions = (Version(listing, table) for listing, table in zip(files, (before, after), strict=True))
    found = data_change(*versions, a_spec(), {"churn": ["age", "spend"], "value": ["age"]})
    return {section.id: section for section in found}


def test_equal_files_make_no_report() -> None:
    found = report(a_table(), a_table(), files=((OLD_FILE,), (OLD_FILE,)))
    assert list(found) == ["data_files"] and found["data_files"].rows == ()


def test_files_are_added_removed_and_changed() -> None:
    other = DataFile(path="data/more.parquet", md5="2" * 32)
    found = report(a_table(50), a_table(50), files=((OLD_FILE,), (NEW_FILE, other)))
    assert found["data_files"].rows == (
        ("data/churn.parquet", "changed", "10 bytes", "12 bytes"),
        ("data/more.parquet", "added", "", ""),
    )


def test_rows_are_told_apart_by_row_id() -> None:
    before = a_table(100)
    spend = before["spend"].to_numpy().copy()
    spend[3:5] = 9.0
    after = pa.concat_tables([replaced(before, "spend", spend).slice(2), replaced(a_table(3), "id", [200, 201, 202])])
    after = after.take(np.random.default_rng(0).permutation(after.num_rows))  # the order of rows means nothing
    rows = {row[0]: row[1:] for row in report(before, after)["data_rows"].rows}
    assert rows["added"][0] == "3" and rows["removed"][0] == "2"
    assert rows["changed"] == ("2", "spend (2)") and rows["unchanged"][0] == "96"


def test_columns_that_come_go_or_change_type() -> None:
    before = a_table(60)
    after = before.drop_columns(["country"]).append_column("city", pa.array(["x"] * 60))
    after = replaced(after, "age", before["age"].to_numpy().astype(np.int64))
    assert report(before, after)["data_columns"].rows == (
        ("age", "type", "double", "int64"),
        ("city", "added", "", "string"),
        ("country", "removed", "string", ""),
    )


def test_missing_values_duplicates_and_label_shift() -> None:
    before = a_table(200)
    age = [None if number < 50 else value for number, value in enumerate(before["age"].to_pylist())]
    after = pa.concat_tables([replaced(before, "age", age), replaced(before.slice(150, 10), "id", range(900, 910))])
    after = replaced(after, "left", ["yes"] * after.num_rows)
    found = report(before, after)
    rows = {row[0]: row[1:] for row in found["data_quality"].rows}
    assert rows["missing in age"] == ("0.00%", "23.81%")
    assert rows["rows that repeat another"] == ("0", "10")
    assert found["label_shift"].rows[1][2] == "100.00%" and "p = " in found["label_shift"].note


def test_drift_names_the_column_and_who_reads_it() -> None:
    before, new = a_table(2000), replaced(a_table(500, seed=1), "id", range(5000, 5500))
    after = pa.concat_tables([before, replaced(new, "age", new["age"].to_numpy() + 5)])
    section = report(before, after)["drift"]
    assert [(row[0], row[4], row[5]) for row in section.rows] == [("age", "alarm", "churn, value")] or [
        row[0] for row in section.rows
    ] == ["age", "left"]
    assert "at most 5%" in section.note


def test_drift_keeps_its_false_alarm_rate_whatever_the_sizes() -> None:
    """Two draws of one distribution: any row at all in at most about 5 % of 300 reports."""
    columns, alarms = ["age", "spend", "country", "left"], 0
    for number in range(300):
        one, other = a_table(400, seed=number), a_table(150 + number, seed=10_000 + number)
        alarms += drifts(one, other, columns)[0].p_adjusted < 0.05
    assert alarms / 300 < 0.08


def test_missing_values_that_appear_are_drift() -> None:
    one, other = a_table(2000), a_table(2000, seed=1)
    holes = [None if number % 10 == 0 else value for number, value in enumerate(other["country"].to_pylist())]
    worst = drifts(one, replaced(other, "country", holes), ["age", "country"])[0]
    assert (worst.column, worst.test, worst.alarm) == ("country", "missing", True)


def test_tests_of_drift_are_those_of_scipy() -> None:
    generator = np.random.default_rng(0)
    one, other = generator.normal(size=300), generator.normal(0.2, 1, 400)
    expected = stats.ks_2samp(one, other, method="asymp")
    distance, p_value = kolmogorov_smirnov(one, other)
    assert distance == pytest.approx(expected.statistic)
    assert p_value == pytest.approx(float(stats.kstwobign.sf(np.sqrt(300 * 400 / 700) * distance)))
    counts = np.array([[30.0, 20, 50], [25, 40, 35]])
    assert chi_square(counts) == pytest.approx(stats.chi2_contingency(counts, correction=False).pvalue)
    assert chi_square(np.array([[5.0, 0], [7, 0]])) == 1.0


def test_test_rows_with_a_twin_are_counted() -> None:
    train = pa.table({"a": [1.0, 2.0, 3.0, None], "b": ["x", "y", "z", "x"], "y": ["n", "n", "p", "p"]})
    test = pa.table({"a": [1, 2, 9, None, 5], "b": ["x", "y", "z", "x", "q"], "y": ["n", "p", "p", "p", "n"]})
    found = leakage(train, test, ("a", "b"), "y")
    assert (found.n, found.same_inputs, found.same) == (5, 3, 2)
    assert found.near == {"a": 1} and found.share == 0.6
    assert leakage_section(found).rows[-1] == ("all inputs but a", "1", "20.00%")


def test_large_whole_numbers_stay_apart() -> None:
    table = pa.table({"id": [2**60, 2**60 + 1], "x": [0.0, -0.0]})
    assert n_duplicates(fingerprints(table, ["id"])) == 0
    assert n_duplicates(fingerprints(table, ["x"])) == 1


def test_every_row_is_new_when_nothing_was_there() -> None:
    change = row_change(a_table(5).slice(0, 0), a_table(5), "id", ["age"])
    assert change.added.all() and not change.changed.any()


def test_a_changed_contract_is_shown_rule_by_rule() -> None:
    before = read_contract(b"columns: {age: {dtype: float64, nullable: true}, spend: {dtype: float64}}", "schema.yaml")
    after = read_contract(b"strict: true\ncolumns: {age: {dtype: float64}, city: {dtype: str}}", "schema.yaml")
    section = contract_section(before, after)
    assert section is not None
    assert [row[:2] for row in section.rows] == [
        ("", "strict"),
        ("age", "nullable"),
        ("city", "column"),
        ("city", "dtype"),
        ("spend", "column"),
        ("spend", "dtype"),
    ]
    assert contract_section(after, after) is None and contract_section(None, None) is None
    assert contract_section(None, after) is not None
