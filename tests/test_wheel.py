"""The wheel is the product: what a verb needs beside the code is in it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.test_init import CSV, git
from tests.real_data import ROOT


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, in a folder that is no checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "uv", "build", "--wheel", "--quiet", "--out-dir", str(folder), str(ROOT))
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder / "content")
    return folder / "content"


def test_a_repository_is_set_up_from_the_wheel_alone(unpacked: Path, tmp_path: Path) -> None:
    """Also in a repository with an origin of its own, which is not where mlbot comes from."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/churn.csv").write_text(CSV)
    git(tmp_path, "init", "-q")
    git(tmp_path, "remote", "add", "origin", "https://github.com/team/models")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bot.cli import main; main()"
    call = (sys.executable, "-P", "-c", code, str(unpacked), "init", "--data", "data/churn.csv", "--target", "left")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(call, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "team/models" not in (tmp_path / "pyproject.toml").read_text()
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "policies").rglob("*.yaml")}
    assert all((tmp_path / name).read_bytes() == (ROOT / name).read_bytes() for name in here)
    assert (tmp_path / ".github/workflows/pull-request.yml").is_file()
    assert (tmp_path / "docs/rulesets/default-branch.json").is_file(), "what doctor names"


def test_the_demo_has_what_it_rehearses_with(unpacked: Path) -> None:
    shipped = unpacked / "bot/shipped"
    for folder in ("models", ".dvc/embedded", "policies"):
        here = {path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*") if path.is_file()}
        there = {path.relative_to(shipped / folder) for path in (shipped / folder).rglob("*") if path.is_file()}
        assert there == here
    assert (shipped / "data.dvc").read_bytes() == (ROOT / "data.dvc").read_bytes()
