"""A small file that is a large table ends with an error for people, before it takes the machine's memory."""

from __future__ import annotations

import gzip
import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bot.adapters.limits import Limits, machine_bytes
from bot.adapters.tables import read_table
from bot.adapters.workbench import LocalWorkbench
from bot.errors import UserError
from bot.train.step import train
from tests.builders import a_planned
from tests.train.small import a_spec

ROWS = 4_000_000
TEAM = Limits(memory_bytes=None, table_bytes=20_000_000)
CSV = "{path: data/rows.csv.gz, target: outcome, row_id: id}"


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parquet of one value a column, and text of one line, both compressed a thousandfold."""
    folder = tmp_path_factory.mktemp("bombs")
    (folder / "data").mkdir()
    same = pa.array(np.zeros(ROWS))
    table = pa.table({"id": pa.array(np.zeros(ROWS, np.int64)), "outcome": same, "signal": same})
    pq.write_table(table, folder / "data/rows.parquet", compression="zstd")
    with gzip.open(folder / "data/rows.csv.gz", "wt") as opened:
        opened.write("id,outcome,signal\n")
        opened.write("1,2,3.25\n" * ROWS)
    return folder


@pytest.mark.parametrize("spec", ["", CSV], ids=["parquet", "csv"])
def test_a_small_file_that_unpacks_to_too_much_is_refused_unread(bombs: Path, spec: str) -> None:
    read = a_spec(features="{numeric: [signal]}", **({"data": spec} if spec else {}))
    file = bombs / read.data.path
    assert file.stat().st_size < 1_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError) as caught:
        read_table(read, bombs, ["signal"], limits=TEAM)
    assert caught.value.code == "memory_exceeded" and "policies/training.yaml allows" in caught.value.message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kilobytes"


def test_text_that_is_written_once_for_many_rows_ends_at_the_limit_of_the_process(tmp_path: Path) -> None:
    """The file's own numbers do not say how long the text is; the kernel counts what it takes."""
    (tmp_path / "data").mkdir()
    word = pa.array(["x" * 100_000]).take(pa.array(np.zeros(20_000, np.int64)))
    table = pa.table({"id": np.arange(20_000), "outcome": ["a", "b"] * 10_000, "shop": word.dictionary_encode()})
    pq.write_table(table, tmp_path / "data/rows.parquet", store_schema=False)
    assert (tmp_path / "data/rows.parquet").stat().st_size < 1_000_000
    bench = LocalWorkbench(tmp_path, tmp_path / "out", limits=Limits(memory_bytes=700_000_000))
    with pytest.raises(UserError) as caught:
        train(a_spec(features="{categorical: [shop]}"), a_planned("small"), bench)
    assert caught.value.code == "memory_exceeded"


@pytest.mark.parametrize(
    ("limits", "asked", "process", "table"),
    [
        (Limits(), None, machine_bytes(), machine_bytes()),
        (Limits(), 1000, 1000, 1000),
        (Limits(5000, 2000), None, 5000, 2000),
        (Limits(5000, 2000), 1000, 1000, 1000),
        (Limits(10**18), None, machine_bytes(), machine_bytes()),
        (Limits(), 10**18, machine_bytes(), machine_bytes()),
    ],
)
def test_a_limit_is_the_spec_s_else_the_team_s_and_never_more_than_the_machine(
    limits: Limits, asked: int | None, process: int, table: int
) -> None:
    assert (limits.process(asked), limits.table(asked)) == (process, table)
