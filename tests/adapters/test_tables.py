"""Data files become one table, or an error that names the file and the next step."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from bot.adapters.csv_sniff import sniffed
from bot.adapters.tables import COUNTS, read_table
from bot.errors import Problems, UserError
from bot.specs.contract import read_contract
from bot.specs.data import Csv
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


DIALECTS = {
    "semicolons and decimal commas": ("id;x;y\n1;0,5;a\n2;;b\n3;1,5;a\n", {"separator": ";", "decimal": ","}, "utf-8"),
    "tabs": ("id\tx\ty\n1\t0.5\ta\n2\t\tb\n3\t1.5\ta\n", {"separator": "\t"}, "utf-8"),
    "blanks after commas": ('id, x, y\n1, 0.5, "a"\n2, , "b"\n3, 1.5, "a"\n', {"trim": True}, "utf-8"),
    "UTF-16": ("id,x,y\n1,0.5,a\n2,,b\n3,1.5,a\n", {"encoding": "utf-16"}, "utf-16"),
    "Latin-1": ("id,x,y,\u00e9\n1,0.5,a,\u00fc\n2,,b,\u00fc\n3,1.5,a,\u00fc\n", {"encoding": "latin-1"}, "latin-1"),
    "a byte order mark": ("id,x,y\n1,0.5,a\n2,,b\n3,1.5,a\n", {}, "utf-8-sig"),
    "line breaks in quotes": ('id,x,y,t\n1,0.5,a,"two\nlines"\n2,,b,"\n"\n3,1.5,a,z\n', {}, "utf-8"),
}


@pytest.mark.parametrize(("text", "form", "encoding"), DIALECTS.values(), ids=DIALECTS.keys())
def test_every_dialect_is_found_and_reads_the_same(data, text, form, encoding):
    """What `init` finds is what training reads with."""
    file = data / "data/rows.csv"
    file.write_bytes(text.encode(encoding))
    assert sniffed(file) == Csv(**form)
    read = read_table(spec("data/rows.csv", f", csv: {json.dumps(form)}"), data, ["x"])
    assert read.select(["id", "x", "y"]).to_pydict() == {"id": [1, 2, 3], "x": [0.5, None, 1.5], "y": ["a", "b", "a"]}


def test_thousands_are_numbers_only_where_the_spec_says_so(data):
    (data / "data/rows.csv").write_text('id,x,y\n1,"12,063",a\n2,7,b\n')
    assert sniffed(data / "data/rows.csv").thousands == ","
    read = read_table(spec("data/rows.csv", ", csv: {thousands: ','}"), data, ["x"])
    assert read["x"].to_pylist() == [12063, 7]
    assert read_table(spec("data/rows.csv"), data, ["x"])["x"].type == pa.string()


def test_a_line_break_in_quotes_is_read_wherever_a_block_ends(data):
    rows = "".join(f'{number},{number},"{"ab" * 40}\n{number}"\n' for number in range(120_000))
    (data / "data/rows.csv").write_text("id,x,y\n" + rows)
    assert read_table(spec("data/rows.csv"), data, ["x"]).num_rows == 120_000


def test_the_line_that_is_too_long_is_named_without_its_values(data):
    (data / "data/rows.csv").write_text('id,x,y\n1,2,"a\nb"\n7,7,secret,9\n')
    with pytest.raises(UserError, match=r"rows.csv: line 4: 4 values, but there are 3 columns") as caught:
        read_table(spec("data/rows.csv"), data, ["x"])
    assert "secret" not in caught.value.message


def test_digits_that_begin_with_zero_are_text_in_every_file(data):
    """01 and 1 are two ids, also when one file holds no zero in front."""
    (data / "data/folder").mkdir()
    (data / "data/folder/a.csv").write_text("id,x,y\n01,1,a\n1,2,b\n")
    (data / "data/folder/b.csv").write_text("y,x,id\na,3,2\nb,4,3\n")
    assert read_table(spec("data/folder"), data, ["x"])["id"].to_pylist() == ["01", "1", "2", "3"]


def test_rows_without_an_id_are_known_by_their_content(data):
    """Equal rows have equal ids but for a count, whatever the order of rows and columns."""
    text = "x,z,y\n1,a,p\n2,b,q\n1,a,p\n3,c,q\n"
    plain = spec("data/rows.csv")
    wanted = plain.model_copy(update={"data": plain.data.model_copy(update={"row_id": "(content)"})})
    (data / "data/rows.csv").write_text(text)
    ids = read_table(wanted, data, ["x"])["(content)"].to_pylist()
    assert len(set(ids)) == 4 and ids[2] == f"{ids[0]}-2"
    (data / "data/rows.csv").write_text("z,y,x\nc,q,3\na,p,1\nb,q,2\nnew,p,9\na,p,1\n")
    again = read_table(wanted, data, ["x"])["(content)"].to_pylist()
    assert [again[0], again[1], again[2], again[4]] == [ids[3], ids[0], ids[1], ids[2]]
