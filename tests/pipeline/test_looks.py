"""Looks at test rows through any door are counted: by overlap of row ids, not by the name of the test set."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bot.pipeline.past import counted, looks_at
from bot.records.base import canonical_json
from bot.records.ledger import testset_use_path as use_path
from bot.records.plan import DataFile
from bot.specs.sketch import sketch_of
from tests.builders import a_digest, a_training
from tests.pipeline.world import world

FILE = DataFile(path="data/rows.csv", md5="a" * 32, size=1)
MINE = {"test_rows_digest": a_digest("mine"), "inputs_digest": a_digest("mine inputs"), "data_files": (FILE,)}


def ids(*numbers: range) -> pa.Array:
    return pa.array(np.concatenate([np.array(some) for some in numbers]))


def noted(
    rows: pa.Array, *, digest: str, metric: str = "roc_auc", inputs: str = "others", model: str = "churn", **more
):
    """A use in the ledger: its path and bytes."""
    files = more.get("files", [FILE.path, FILE.md5])
    use = {"evaluation_digest": a_digest("e"), "model": model, "number": 1, "files": files, "rows": sketch_of(rows)}
    return use_path(a_digest(digest), metric, a_digest(inputs)), canonical_json(use)


ROWS = ids(range(4000))


@pytest.mark.parametrize(
    ("earlier", "looks"),
    [
        (noted(ROWS, digest="mine"), 1),
        (noted(ROWS, digest="mine", metric="f1", inputs="mine inputs"), 1),
        (noted(ROWS, digest="mine", inputs="mine inputs"), 0),
        (noted(ids(range(3999)), digest="one less"), 1),
        (noted(ids(range(2000), range(9000, 11_000)), digest="half"), 1),
        (noted(ids(range(4000, 8000)), digest="other"), 0),
        (noted(ROWS, digest="x", model="upsell"), 1),
        (noted(ROWS, digest="x", model="upsell", files=["data/moved.csv", FILE.md5]), 1),
        (noted(ROWS, digest="x", model="upsell", files=["data/flights.csv", "b" * 32]), 0),
    ],
    ids=[
        "other inputs", "another metric", "the same again", "one more row", "another split seed", "new rows",
        "another model and target", "the file has moved", "the same numbers as ids of another table",
    ],
)  # fmt: skip
def test_a_look_is_counted_through_any_door(tmp_path, monkeypatch, earlier: tuple[str, bytes], looks: int) -> None:
    ports = world(tmp_path, monkeypatch).job().ports
    ports.ledger.files.update([earlier])
    found = looks_at(a_training(**MINE), "roc_auc", sketch_of(ROWS), ports)
    assert counted(found) == looks
