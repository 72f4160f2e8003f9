"""Requests kept for monitoring."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from bot.adapters.parquet_log import ParquetLog
from bot.serve.app import build
from bot.serve.engine import Engine
from bot.serve.logged import logger
from bot.serve.serving import Serving
from tests.serve.asgi import Client
from tests.serve.test_app import ROWS


def kept(folder: Path) -> list[dict[str, Any]]:
    """Every row in the folder."""
    return [row for file in sorted(folder.rglob("*.parquet")) for row in pq.read_table(file).to_pylist()]


@pytest.fixture
def log(tmp_path: Path) -> ParquetLog:
    return ParquetLog(tmp_path, max_bytes=1_000_000, workers=False)


def logging(serving: Serving, log: ParquetLog, sample: float = 1.0) -> Client:
    """A caller of a server that keeps requests."""
    numbers = itertools.count(1)
    draws = itertools.cycle([0.1, 0.6])
    serving.log = logger(
        log.put, sample=sample, random=lambda: next(draws), now_us=lambda: 1_700_000_000_000_000,
        new_id=lambda: f"made-{next(numbers)}",
    )  # fmt: skip
    return Client(build(serving))


@pytest.mark.parametrize("model", ["churn", "churn-onnx"])
def test_request_and_answer_are_kept_with_what_gave_it(serving: Serving, log: ParquetLog, model: str) -> None:
    """A row a row: request id, time, version, digest, inputs, prediction and probabilities."""
    answer = logging(serving, log).post(f"/v2/models/{model}/infer", json=ROWS).json()
    log.flush()
    rows = kept(log.folder)
    assert [(row["_request_id"], row["_row"]) for row in rows] == [("made-1", 0), ("made-1", 1)]
    assert [row["age"] for row in rows] == [30, None]
    assert rows[1]["country"] == "never seen"
    assert [row["_predict"] for row in rows] == answer["outputs"][0]["data"]
    assert rows[0]["_proba_yes"] == answer["outputs"][1]["data"][1]
    assert rows[0]["_version"] == "v1.0.0"
    assert rows[0]["_artifact_digest"] == answer["parameters"]["artifact_digest"]
    assert rows[0]["_at"].isoformat().startswith("2023-11-14T22:13:20")


def test_sensitive_columns_are_never_written(serving: Serving, log: ParquetLog) -> None:
    """What the schema marks as sensitive reaches no file."""
    engine: Engine = serving.engines["churn"]
    hidden = replace(engine, sensitive=frozenset({"income", "country"}))
    serving.engines = {"churn": hidden}
    logging(serving, log).post("/v2/models/churn/infer", json=ROWS)
    log.flush()
    rows = kept(log.folder)
    assert len(rows) == 2
    assert {"income", "country"}.isdisjoint(rows[0])
    assert "age" in rows[0]
    written = b"".join(file.read_bytes() for file in log.folder.rglob("*.parquet"))
    assert b"never seen" not in written


def test_a_share_is_kept_and_its_id_is_told(serving: Serving, log: ParquetLog) -> None:
    """Half of the requests are kept; a kept one without an id is given one, so that a label can be joined to it."""
    client = logging(serving, log, sample=0.5)
    rows = {key: value for key, value in ROWS.items() if key != "id"}
    told = [client.post("/v2/models/churn/infer", json=rows).json().get("id") for _ in range(4)]
    log.flush()
    assert told == ["made-1", None, "made-2", None]
    assert {row["_request_id"] for row in kept(log.folder)} == {"made-1", "made-2"}


def test_the_folder_never_grows_beyond_its_bound(serving: Serving, log: ParquetLog) -> None:
    """The oldest files go first."""
    client = logging(serving, log)
    log.max_bytes, answers = 12_000, list[dict[str, Any]]()
    for number in range(8):
        answers.append(client.post("/v2/models/churn/infer", json={**ROWS, "id": f"request-{number}"}).json())
        log.flush()
    sizes = [file.stat().st_size for file in log.folder.rglob("*.parquet")]
    ids = {row["_request_id"] for row in kept(log.folder)}
    assert sum(sizes) <= 12_000
    told = [one["parameters"]["request_id"] for one in answers]
    assert told[7] in ids and told[0] not in ids
    assert [one["id"] for one in answers] == [f"request-{number}" for number in range(8)]


def test_an_id_that_was_sent_before_hides_no_row(serving: Serving, log: ParquetLog) -> None:
    client = logging(serving, log)
    for _ in range(3):
        assert client.post("/v2/models/churn/infer", json={**ROWS, "id": "1"}).json()["id"] == "1"
    log.flush()
    assert len({row["_request_id"] for row in kept(log.folder)}) == 3


def test_memory_is_bounded_and_the_loss_is_counted(serving: Serving, tmp_path: Path) -> None:
    """When the disk does not keep up, requests of two rows are answered and the dropped rows counted."""
    log = ParquetLog(tmp_path / "log", max_bytes=1_000_000, waiting=4, workers=False)
    client = logging(serving, log)
    serving.dropped = lambda: log.dropped
    for _ in range(5):
        assert client.post("/v2/models/churn/infer", json=ROWS).status_code == 200
    assert "mlbot_log_rows_dropped_total 6" in client.get("/metrics").text


def test_a_disk_that_fails_does_not_stop_the_answers(serving: Serving, tmp_path: Path) -> None:
    """A log folder that cannot be written to costs the log, not the service."""
    folder = tmp_path / "log"
    log = ParquetLog(folder, max_bytes=1_000_000, workers=False)
    (folder / "churn").write_text("a file where a folder should be")
    client = logging(serving, log)
    assert client.post("/v2/models/churn/infer", json=ROWS).status_code == 200
    log.flush()
    assert log.failed == 2, "rows"


def test_files_of_a_dead_process_are_cleared(tmp_path: Path) -> None:
    """A half-written file of a killed server is removed at the next start; whole files stay."""
    (tmp_path / "churn").mkdir()
    (tmp_path / "churn" / "1.part").write_text("half")
    (tmp_path / "churn" / "0.parquet").write_text("whole")
    ParquetLog(tmp_path, max_bytes=1_000_000, workers=False)
    assert [file.name for file in tmp_path.rglob("*.p*")] == ["0.parquet"]


def test_a_busy_server_drops_no_row(serving: Serving, tmp_path: Path) -> None:
    """Rows are written as soon as a fifth of what memory may hold waits, however long a file may stay open."""
    log = ParquetLog(tmp_path, max_bytes=1_000_000, seconds=3600.0, waiting=10)
    client = logging(serving, log)
    client.post("/v2/models/churn/infer", json=ROWS)
    client.post("/v2/models/churn/infer", json=ROWS)
    until = time.monotonic() + 20
    while not kept(tmp_path) and time.monotonic() < until:
        time.sleep(0.01)
    assert kept(tmp_path)
    log.close()
    assert (len(kept(tmp_path)), log.dropped) == (4, 0)


def test_a_caller_with_other_types_spoils_no_row_of_others(serving: Serving, log: ParquetLog) -> None:
    """One sends a number where another sends its text: both are answered, and kept as the model read them."""
    client = logging(serving, log)
    number = {"name": "country", "shape": [2], "datatype": "INT64", "data": [1, 2]}
    others = [tensor for tensor in ROWS["inputs"] if tensor["name"] != "country"]
    for inputs in (ROWS["inputs"], [*others, number], ROWS["inputs"]):
        assert client.post("/v2/models/churn/infer", json={"inputs": inputs}).status_code == 200
    log.flush()
    assert (len(kept(log.folder)), log.failed) == (6, 0)
    assert len(list(log.folder.rglob("*.parquet"))) == 1
    assert {row["country"] for row in kept(log.folder)} >= {"1", "2"}
