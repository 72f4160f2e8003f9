"""Data files become one table, or an error that names the file and the next step."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from bot.adapters.tables import COUNTS, read_table
from bot.errors import Problems, UserError
from bot.specs.contract import read_contract
from bot.specs.model import read_model_spec

ROWS = pa.table({"id": [1, 2, 3, 4], "x": [0.5, None, 1.5, 2.5], "y": ["a", "b", None, "a"], "z": [1, 2, 3, 4]})


def spec(path: str = "data/rows.parquet", more: str = ""):
    text = f"""
task: binary
owner: owen
description: A test.
data: {{path: {path}, target: y, row_id: id{more}}}
features: {{numeric: [x]}}
estimator: LogisticRegression
metrics: log_loss
"""
    return read_model_spec(text.encode(), "models/t/model.yaml")


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path


def test_rows_without_a_target_are_left_out_and_counted(data):
    pq.write_table(ROWS, data / "data/rows.parquet")
    table = read_table(spec(more=', where: "id < 4"'), data, ["x"])
    assert table["id"].to_pylist() == [1, 2] and set(table.column_names) == {"y", "id", "x"}
    assert [int(table.schema.metadata[name]) for name in COUNTS] == [4, 1, 1]


def test_a_folder_is_read_in_name_order_and_csv_equals_parquet(data):
    (data / "data/folder").mkdir()
    for name, part in (("b", ROWS.slice(2)), ("a", ROWS.slice(0, 2))):
        pq.write_table(part, data / f"data/folder/{name}.parquet")
    csv.write_csv(ROWS, data / "data/rows.csv")
    one, other = read_table(spec("data/folder"), data), read_table(spec("data/rows.csv"), data)
    assert one.to_pylist() == other.to_pylist()


def test_a_csv_column_that_turns_to_text_late_is_read_as_text(data):
    lines = ["id,x,y", *(f"{i},{i},a" for i in range(900_000)), "900000,n/a?,b"]
    (data / "data/rows.csv").write_text("\n".join(lines))
    assert read_table(spec("data/rows.csv"), data)["x"].type == pa.string()


PARQUET = pa.BufferOutputStream()
pq.write_table(ROWS, PARQUET)
WHOLE = PARQUET.getvalue().to_pybytes()
BAD = {
    "half a Parquet file": ("rows.parquet", WHOLE[: len(WHOLE) // 2], "data_unreadable", "rows.parquet"),
    "Parquet with a broken page": (
        "rows.parquet",
        WHOLE[:4] + bytes(60) + WHOLE[64:],
        "data_unreadable",
        "rows.parquet",
    ),
    "an empty file": ("rows.parquet", b"", "data_unreadable", "rows.parquet"),
    "an empty CSV": ("rows.csv", b"", "data_unreadable", "rows.csv"),
    "a header and no rows": ("rows.csv", b"id,x,y\n", "data_empty", "no rows"),
    "Latin-1": ("rows.csv", "id,x,y\n1,2,caf\u00e9\n2,3,b\n".encode("latin1"), "data_encoding", "UTF-8"),
    "Latin-1 in the header": ("rows.csv", "id,x,y,\u00e9\n1,2,a,1\n".encode("latin1"), "data_encoding", "UTF-8"),
    "UTF-16": ("rows.csv", "id,x,y\n1,2,a\n".encode("utf-16"), "data_encoding", "UTF-8"),
    "a row with a cell too many": ("rows.csv", b"id,x,y\n1,2,a\n1,2,a,9\n", "data_unreadable", "columns"),
    "no target column": ("rows.csv", b"id,x\n1,2\n", "column_missing", "'y'"),
    "a column twice": ("rows.csv", b"id,x,x,y\n1,2,3,a\n", "column_doubled", "'x'"),
    "no target in any row": ("rows.csv", b"id,x,y\n1,2,\n2,3,NA\n", "data_empty", "no row is left"),
}


@pytest.mark.parametrize(("name", "content", "code", "says"), BAD.values(), ids=BAD.keys())
def test_bad_files_are_errors_for_people(data, name, content, code, says):
    (data / "data" / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_table(spec(f"data/{name}"), data, ["x"])
    assert caught.value.code == code and says in caught.value.message and caught.value.hint


def test_nothing_there_is_an_error_that_says_how_to_fetch(data):
    with pytest.raises(UserError, match="no data files") as caught:
        read_table(spec(), data)
    assert "dvc pull" in caught.value.hint


def test_a_condition_on_a_column_that_is_not_there_names_the_nearest(data):
    pq.write_table(ROWS.rename_columns(["id", "distance", "y", "z"]), data / "data/rows.parquet")
    with pytest.raises(UserError, match="distanc") as caught:
        read_table(spec(more=", where: distanc > 1"), data, ["z"])
    assert "distance" in caught.value.hint


def test_files_that_do_not_fit_together_are_named(data):
    (data / "data/folder").mkdir()
    pq.write_table(ROWS, data / "data/folder/a.parquet")
    pq.write_table(ROWS.set_column(1, "x", pa.array([[1], [2], [3], [4]])), data / "data/folder/b.parquet")
    with pytest.raises(UserError, match="do not fit together"):
        read_table(spec("data/folder"), data)


def test_a_broken_contract_names_rows_and_never_sensitive_values(data):
    contract = read_contract(
        b"columns:\n  x: {dtype: float64, nullable: true, sensitive: true, in_range: {min_value: 0, max_value: 2}}\n",
        "s",
    )
    pq.write_table(ROWS, data / "data/rows.parquet")
    with pytest.raises(UserError) as caught:
        read_table(spec(), data, ["x"], contract)
    errors = caught.value.errors if isinstance(caught.value, Problems) else [caught.value]
    assert errors[0].code == "contract_broken" and "4" in errors[0].message and "2.5" not in errors[0].message
