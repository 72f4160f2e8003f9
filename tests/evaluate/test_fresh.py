"""Retrain or keep: on rows that are new with a change of the data, what is live and what is proposed, side by side."""

from __future__ import annotations

import time
from pathlib import Path

import pyarrow as pa
import pytest

from bot.errors import UserError
from bot.evaluate.lent import Before, Loaders
from bot.evaluate.step import evaluate
from bot.records.evaluation import Section
from bot.records.plan import DataFile
from bot.specs.model import ModelSpec
from tests.evaluate.worlds import CHAMPION, SPEC, Formula, a_spec, a_table, some_gates, trained

GATE = "{id: not_worse, kind: non_inferiority, against: production, margin: 0.02}"


def section(tmp_path: Path, new_rows: int, live: Formula, proposed: Formula, *, same: bool = False) -> Section | None:
    """The data grow by the last `new_rows` of 4,000 rows."""
    table = a_table()
    training, old = trained(table), table.slice(0, 4000 - new_rows)
    (tmp_path / "champion").mkdir()
    theirs = training.model_copy(update={"artifact_digest": CHAMPION})
    (tmp_path / "champion/training.json").write_bytes(theirs.canonical())

    def read(_spec: object, data: Path, _columns: object) -> pa.Table:
        return old if data.name == "old" else table

    loaders = Loaders(read, lambda at, _: live if at.name == "champion" else proposed, time.perf_counter)
    files = training.data_files if same else (DataFile(path="data/churn.parquet", md5="f" * 32),)
    found = evaluate(
        a_spec(), training, tmp_path / "new", tmp_path, {"production": tmp_path / "champion"}, some_gates(GATE),
        loaders=loaders, before=Before(files, tmp_path / "old"),
    )  # fmt: skip
    return next((one for one in found.sections if one.id == "fresh_rows"), None)


@pytest.mark.parametrize(
    ("live", "proposed", "answer"),
    [
        (Formula(noise=2.0), Formula(), "retrain is better"),
        (Formula(), Formula(noise=2.0), "keep is better"),
        (Formula(), Formula(), "no difference that these rows can show"),
    ],
)
def test_the_two_are_compared_on_the_new_test_rows_alone(
    tmp_path: Path, live: Formula, proposed: Formula, answer: str
) -> None:
    found = section(tmp_path, 1200, live, proposed)
    assert found is not None and found.rows[0][0] == "production" and found.rows[0][-1] == answer
    n = int(found.note.split("On the ")[1].split()[0])
    assert 500 < n < 700, "half of the new rows are test rows"


def test_too_few_new_rows_tell_nothing(tmp_path: Path) -> None:
    found = section(tmp_path, 20, Formula(noise=2.0), Formula())
    assert found is not None and found.rows == () and "30 are needed" in found.note


def test_a_window_that_moved_past_all_old_rows_is_compared_with_all_of_them(tmp_path: Path) -> None:
    table = a_table()
    spec = a_spec(SPEC.replace(b"row_id: id}", b"row_id: id, where: id >= 2000}"))
    training = trained(table.slice(2000), spec)

    def read(wanted: ModelSpec, data: Path, _columns: object) -> pa.Table:
        if data.name != "old":
            return table.slice(2000)
        if wanted.data.where:
            raise UserError("no row is left", code="data_empty")
        return table.slice(0, 2000)

    loaders = Loaders(read, lambda at, _: Formula(), time.perf_counter)
    before = Before((DataFile(path="data/churn.parquet", md5="f" * 32),), tmp_path / "old")
    found = evaluate(spec, training, tmp_path, tmp_path / "new", {}, some_gates(GATE), loaders=loaders, before=before)
    assert ("added", "2,000", "") in {one.id: one for one in found.sections}["data_rows"].rows


def test_the_same_data_have_no_new_rows(tmp_path: Path) -> None:
    assert section(tmp_path, 1200, Formula(), Formula(), same=True) is None
