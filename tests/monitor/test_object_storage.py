"""Logs and labels in a bucket: judged as those in a folder; one that cannot be reached is no empty log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.adapters.locations import tables_at
from bot.cli import run
from bot.errors import MlbotError, UserError, WorldError
from tests.monitor.world import World, fresh, turned
from tests.object_store.store import Bucket, running


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with running() as found:
        yield found


@pytest.fixture
def job(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """The bucket, as a job's environment has it."""
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    return bucket


def test_a_model_is_judged_by_a_log_and_labels_in_a_bucket(live: World, job: Bucket) -> None:
    """The same record as from folders, alarm of performance and all; a file cut in half is named."""
    rows = fresh()
    live.label(live.serve(rows), turned(rows["outcome"], 0.3))
    job.upload(live.log, "log/small")
    job.upload(live.folder / "labels", "labels/small")
    there = {"predictions": "s3://bucket/log/{model}", "labels": "s3://bucket/labels/{model}/*.csv"}
    found, here = live.watch(**there), live.watch()
    assert found == here and found.causes[0] == "performance" and found.current.rows == 400
    whole = next(live.log.iterdir())
    job.put("log/small/cut.parquet", whole.read_bytes()[:2000])
    broken = {one.code: one.sentence for one in live.watch(**there).notes}
    assert "bucket/log/small/cut.parquet" in broken["file_broken"]


ADDRESSES = {
    "a folder": "s3://bucket/tables",
    "a glob": "s3://bucket/*/a.parquet",
    "with the endpoint in the address": "s3://bucket/tables?endpoint_override=127.0.0.1:{port}&scheme=http",
    "a glob with the endpoint in the address": "s3://bucket/tables/*.parquet?endpoint_override=127.0.0.1:{port}&scheme=http",
    "with the key in the address": "s3://{key}:{secret}@bucket/tables/*",
}


@pytest.mark.parametrize("case", ADDRESSES)
def test_an_address_may_be_written_as_arrow_writes_it(job: Bucket, tmp_path: Path, case: str) -> None:
    job.put("tables/a.parquet", fresh(7))
    place = ADDRESSES[case].format(port=job.port, key=job.key, secret=quote(job.secret, safe=""))
    assert sum(batch.num_rows for batch in tables_at(place, tmp_path).batches()) == 7


def test_two_tables_may_lie_in_a_bucket(job: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    """`mlbot monitor --reference s3://... --current s3://...`; one that is cut, or not there, is exit 1 and named."""
    rows = fresh(400).drop_columns(["id"])
    job.put("plain/before.parquet", rows)
    job.put("plain/after.parquet", fresh(300, 5).drop_columns(["id"]))
    job.put("plain/cut.parquet", b"PAR1 cut")
    given = ["monitor", "--reference", "s3://bucket/plain/before.parquet", "--current"]
    assert run([*given, "s3://bucket/plain/after.parquet"]) == 0
    assert "current: s3://bucket/plain/after.parquet, 300 rows" in capfd.readouterr().out
    for name, said in (("cut", "bucket/plain/cut.parquet: cannot be read"), ("none", "there is no table")):
        assert run([*given, f"s3://bucket/plain/{name}.parquet"]) == 1
        assert said in capfd.readouterr().err


FAILURES = {
    "a wrong secret": ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "s3://bucket/tables", WorldError, "AWS_SECRET_ACCESS_KEY"),
    "no key at all": (
        {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "s3://bucket/tables", WorldError, "credentials",
    ),
    "nobody at the address": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "s3://bucket/tables", WorldError, "address"),
    "no such bucket": ({}, "s3://bukcet/tables", UserError, "name of the bucket"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES)
def test_what_cannot_be_reached_is_said_with_the_next_step(
    job: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """Never an empty log, which would be an alarm of traffic, or close one."""
    changed, place, kind, step = FAILURES[case]
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name, value in changed.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(MlbotError) as caught:
        tables_at(place, tmp_path)
    assert type(caught.value) is kind and step in (caught.value.hint or "") and place in caught.value.message
    assert caught.value.exit_code == (2 if kind is WorldError else 1)


def test_a_key_that_is_taken_away_while_files_are_read_is_no_broken_file(
    job: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.put("tables/a.parquet", fresh(7))
    address = f"s3://{job.key}:wrong@bucket/tables/a.parquet"
    monkeypatch.setattr("bot.adapters.locations._listed", lambda *_: ["bucket/tables/a.parquet"])  # listed before
    found = tables_at(address, tmp_path)
    with pytest.raises(WorldError, match="does not answer") as caught:
        list(found.batches())
    assert found.broken == {} and "wrong" not in str(caught.value), "and the key in the address is not printed"
