"""What every Artifacts port owes: the bytes that went in come out, or a clear error."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.dvc import DvcArtifacts
from bot.errors import UserError
from bot.specs.pointer import read_pointer
from tests.fakes.artifacts import FakeArtifacts
from tests.repositories import Repository


@pytest.fixture(params=["fake", "dvc"])
def artifacts(request, tmp_path):
    if request.param == "fake":
        return FakeArtifacts()
    root = tmp_path / "repository"
    Repository(root)
    (root / ".dvc").mkdir()
    (root / ".dvc/config").write_text(f"[core]\n    remote = r\n['remote \"r\"']\n    url = {tmp_path / 'remote'}\n")
    return DvcArtifacts(root)


def folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def test_what_went_in_comes_out(artifacts, tmp_path):
    files = {"model.skops": b"\x00model" * 100, "training.json": b"{}", "extra/golden.json": b"[1]"}
    pointer = artifacts.store(folder(tmp_path / "in", files))
    artifacts.fetch(pointer, tmp_path / "out")
    found = {path.relative_to(tmp_path / "out").as_posix(): path for path in (tmp_path / "out").rglob("*.*")}
    assert {name: path.read_bytes() for name, path in found.items()} == files


def test_the_pointer_is_dvc_s_own_and_the_same_for_the_same_bytes(artifacts, tmp_path):
    pointer = artifacts.store(folder(tmp_path / "one", {"model.skops": b"m"}))
    assert pointer == artifacts.store(folder(tmp_path / "two", {"model.skops": b"m"}))
    assert read_pointer(pointer.encode(), "x.dvc").nfiles == 1


def test_an_artifact_that_is_gone_is_a_clear_error(artifacts, tmp_path):
    text = f"outs:\n- md5: {'0' * 32}.dir\n  size: 1\n  nfiles: 1\n  hash: md5\n  path: artifact\n"
    with pytest.raises(UserError) as caught:
        artifacts.fetch(text, tmp_path / "out")
    assert caught.value.code == "artifact_missing"
