"""The `directory` target: links to verified files."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bot.adapters.links import point
from bot.cli import run
from bot.promote.step import rollback, withdraw
from tests.promote.world import RUTH
from tests.serve.artifacts import an_artifact
from tests.serve.test_cli import a_world, release
from tests.serve.test_follow import hashed_again


@pytest.mark.slow
def test_the_link_follows_and_never_points_to_what_does_not_verify(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Promotion, rollback and withdrawal move the link; tampered bytes do not."""
    world = a_world(tmp_path)
    one, two = an_artifact(onnx=False), an_artifact(shift=0.9, onnx=False)
    link = tmp_path / "models" / "churn"

    def sync() -> int:
        return run([
            "serve", "--environment", "production", "--repo", str(tmp_path / "server"), "--directory", str(link.parent),
        ])  # fmt: skip

    release(world, one)
    assert sync() == 0
    assert (link / "model.skops").read_bytes() == one["files"]["model.skops"]
    release(world, two)
    assert sync() == 0
    assert (link / "model.skops").read_bytes() == two["files"]["model.skops"]
    rollback("production", "churn", reason="x", by=RUTH, ports=world.ports())
    assert sync() == 0
    assert (link / "model.skops").read_bytes() == one["files"]["model.skops"]
    files = {**two["files"], "golden.json": two["files"]["golden.json"].replace(b"0.", b"1.")}
    release(world, {"files": files, "training": hashed_again(two, files)})
    assert sync() == 1
    assert "golden predictions are not reproduced" in capsys.readouterr().err
    assert (link / "model.skops").read_bytes() == one["files"]["model.skops"], "the old one stays"
    withdraw("production", "churn", reason="x", by=RUTH, ports=world.ports())
    assert sync() == 0
    assert not link.exists()


def test_a_reader_always_finds_a_folder(tmp_path: Path) -> None:
    """While the link is switched a thousand times, every read succeeds."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    folder = tmp_path / "models"
    point(folder, {"churn": tmp_path / "a"})
    missing, stop = [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                (folder / "churn" / "file").read_text()
            except OSError as error:
                missing.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1000):
        point(folder, {"churn": tmp_path / "ab"[number % 2]})
    stop.set()
    reader.join()
    assert missing == []
