"""Where a log may lie: here, by a glob, or at an address that Arrow opens; what is broken is named and passed over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from bot.adapters.locations import Tables, tables_at
from bot.errors import UserError


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Two models' files: x = 1 (Parquet, closed in June), x = 2 (CSV) and, of the other model, x = 9."""
    for name, value in (("churn/20260601T120000000000-000001", 1), ("churn/b", 2), ("other/a", 9)):
        at = tmp_path / "log" / name
        at.parent.mkdir(parents=True, exist_ok=True)
        table = pa.table({"x": [value]})
        pyarrow.csv.write_csv(table, f"{at}.csv") if value == 2 else pq.write_table(table, f"{at}.parquet")
    (tmp_path / "log/churn/notes.txt").write_text("no table")
    return tmp_path


def values(found: Tables, since: datetime | None = None) -> list[int]:
    return [value for batch in found.batches(since) for value in batch.column("x").to_pylist()]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("log/churn", [1, 2]),
        ("log/churn/b.csv", [2]),
        ("log/churn/*.parquet", [1]),
        ("log/*/*.parquet", [1, 9]),
        ("{root}/log/churn", [1, 2]),
        ("file://{root}/log/churn", [1, 2]),
        ("file://{root}/log/churn/b.csv", [2]),
        ("file://{root}/log/*/*.parquet", [1, 9]),
        ("log/nobody", []),
        ("file://{root}/log/nobody", []),
    ],
)
def test_a_place_gives_its_tables_in_order_of_names(log: Path, place: str, expected: list[int]) -> None:
    found = tables_at(place.format(root=log), log)
    assert values(found) == expected and values(found) == expected, "a place is read as often as need be"


@pytest.mark.parametrize("place", ["log/churn", "file://{root}/log/churn"])
def test_files_that_were_closed_before_are_not_opened(log: Path, place: str) -> None:
    found = tables_at(place.format(root=log), log)
    assert values(found, datetime(2026, 7, 1, tzinfo=UTC)) == [2]
    assert values(found, datetime(2026, 5, 1, tzinfo=UTC)) == [1, 2]


@pytest.mark.parametrize("place", ["log/churn", "file://{root}/log/churn"])
def test_a_broken_file_is_named_and_the_others_are_read(log: Path, place: str) -> None:
    (log / "log/churn/a.parquet").write_bytes(b"PAR1 cut")
    (log / "log/churn/c.csv").write_bytes(b"")
    found = tables_at(place.format(root=log), log)
    assert values(found) == [1, 2]
    assert [Path(name).name for name in found.broken] == ["a.parquet", "c.csv"]


@pytest.mark.parametrize("place", ["ftp://host/log", "s3:/", "nonsense://x"])
def test_an_address_that_arrow_does_not_know_says_so(tmp_path: Path, place: str) -> None:
    if "://" not in place:
        assert values(tables_at(place, tmp_path)) == []
        return
    with pytest.raises(UserError, match="cannot be opened") as caught:
        tables_at(place, tmp_path)
    assert "s3://" in (caught.value.hint or "")
