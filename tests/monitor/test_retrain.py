"""What a retraining pull request changes: rows in the data's own types, and a window that moves with them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from bot.errors import UserError
from bot.monitor.retrain import moved_window, new_rows
from bot.specs.model import read_model_spec

SPEC = """task: binary
owner: owen
description: A test.
data: {path: data/rows.parquet, target: outcome, row_id: id, time: seen%s}
%s
features: {numeric: [x]}
estimator: LogisticRegression
metrics: log_loss
"""
MAY = datetime(2026, 5, 1)


def spec(where: str = "", split: str = "") -> bytes:
    return (SPEC % (f", where: {where}" if where else "", f"split: {split}" if split else "")).encode()


def logged(n: int = 4, **columns: Any) -> pa.Table:
    at = [datetime(2026, 11, 23, 12, number, tzinfo=UTC) for number in range(n)]
    own = {
        "_request_id": [f"r{number}" for number in range(n)], "_row": [0] * n,
        "_at": pa.array(at, pa.timestamp("us", tz="UTC")), "x": [1.0] * n, "outcome": ["yes"] * n,
    }  # fmt: skip
    return pa.table({**own, **columns})


def data(n: int = 5, **columns: Any) -> pa.Table:
    own = {
        "id": [f"d{number}" for number in range(n)], "seen": [MAY + timedelta(days=number) for number in range(n)],
        "x": [0.5] * n, "outcome": ["no"] * n, "other": [7] * n,
    }  # fmt: skip
    return pa.table({**own, **columns})


def test_rows_have_the_columns_of_the_data_and_nothing_is_made_up() -> None:
    rows = new_rows(logged(2), data(), read_model_spec(spec(), "s"))
    assert rows.schema.names == ["id", "seen", "x", "outcome", "other"]
    assert rows.to_pylist()[1] == {
        "id": "r1", "seen": datetime(2026, 11, 23, 12, 1), "x": 1.0, "outcome": "yes", "other": None,
    }  # fmt: skip


def test_what_the_labels_bring_is_better_than_what_was_logged() -> None:
    brought = {"id": ["own-0", "own-1"], "x (label)": [3.0, 4.0], "other": [8, 9]}
    rows = new_rows(logged(2, **brought), data(), read_model_spec(spec(), "s"))
    assert (rows["id"].to_pylist(), rows["x"].to_pylist(), rows["other"].to_pylist()) == (
        ["own-0", "own-1"], [3.0, 4.0], [8, 9],
    )  # fmt: skip


def test_rows_of_one_request_have_ids_of_their_own_also_as_numbers() -> None:
    together = logged(3, _request_id=["one"] * 3, _row=[0, 1, 2])
    assert new_rows(together, data(), read_model_spec(spec(), "s"))["id"].to_pylist() == ["one", "one:1", "one:2"]
    numbers = new_rows(together, data(id=[1, 2, 3, 4, 5]), read_model_spec(spec(), "s"))["id"]
    again = new_rows(together, data(id=[1, 2, 3, 4, 5]), read_model_spec(spec(), "s"))["id"]
    assert len(set(numbers.to_pylist())) == 3 and numbers == again


def test_rows_that_the_data_hold_are_not_brought_twice() -> None:
    assert new_rows(logged(2, _request_id=["d0", "new"]), data(), read_model_spec(spec(), "s")).num_rows == 1


def test_a_value_that_does_not_fit_the_data_is_refused_with_its_column() -> None:
    with pytest.raises(UserError, match="x is string") as caught:
        new_rows(logged(2, x=["high", "low"]), data(), read_model_spec(spec(), "s"))
    assert caught.value.code == "rows_unfit"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (["2026-05-01T00:00:00Z"] * 5, "2026-11-23T12:00:00Z"),
        ([date(2026, 5, 1)] * 5, date(2026, 11, 23)),
        (pa.array([MAY] * 5, pa.timestamp("ns", tz="UTC")), datetime(2026, 11, 23, 12, tzinfo=UTC)),
    ],
)
def test_the_time_of_the_request_is_written_as_the_data_write_theirs(seen: Any, expected: Any) -> None:
    row = new_rows(logged(1), data(seen=seen), read_model_spec(spec(), "s"))
    assert row["seen"].to_pylist() == [expected]


CASES = {
    "nothing to move": (spec(), spec(), []),
    "half of the new rows are test rows": (
        spec(split='{method: time, test_from: "2026-05-03"}'),
        spec(split='{method: time, test_from: "2026-11-23 12:02:00"}'),
        ["split.test_from"],
    ),
    "the window moves as far as the newest row": (
        spec(where="'seen >= \"2026-05-01\"'"), spec(where="'seen >= \"2026-11-19\"'"), ["data.where"],
    ),
    "a bound among other conditions": (
        spec(where="'x > 0 and seen > \"2026-04-30\"'"), spec(where="'x > 0 and seen > \"2026-11-18\"'"),
        ["data.where"],
    ),
    "a bound on another column": (spec(where="'x >= 0.5'"), spec(where="'x >= 0.5'"), []),
    "both": (
        spec("'seen >= \"2026-05-01\"'", "{method: time, test_from: 2026-05-03}"),
        spec("'seen >= \"2026-11-19\"'", '{method: time, test_from: "2026-11-23 12:02:00"}'),
        ["split.test_from", "data.where"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_window_of_the_spec_moves_with_the_new_rows(case: str) -> None:
    before, after, keys = CASES[case]
    rows = new_rows(logged(4), data(), read_model_spec(before, "s"))
    moved = moved_window(before, "models/small/model.yaml", rows, data())
    assert moved.spec.decode() == after.decode()
    assert [key for key, _, _ in moved.moved] == keys


def test_times_written_as_text_move_too() -> None:
    text = spec(where="'seen >= \"2026-05-01\"'")
    table = data(seen=["2026-05-05T12:00:00Z"] * 5)
    rows = new_rows(logged(1), table, read_model_spec(text, "s"))
    assert moved_window(text, "s", rows, table).moved == (("data.where", "2026-05-01", "2026-11-19"),)


def test_no_new_row_moves_nothing() -> None:
    text = spec(split='{method: time, test_from: "2026-05-03"}')
    assert moved_window(text, "s", new_rows(logged(0), data(), read_model_spec(text, "s")), data()).spec == text
