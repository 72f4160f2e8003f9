"""`mlbot demo` as a newcomer runs it: every step happens, git, dvc and gto work on what is left, nothing else stays."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("demo")]

BIN = Path(sys.executable).parent


class Demo:
    """A folder with a demo in it, and a user whose home folder was empty."""

    def __init__(self, folder: Path) -> None:
        self.directory, self.home = folder / "demo", folder / "home"
        self.home.mkdir()
        (folder / "tmp").mkdir()
        keep = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "LANG": "C.UTF-8"}
        self.environ = {**keep, "HOME": str(self.home), "TMPDIR": str(folder / "tmp"), "DVC_NO_ANALYTICS": "1"}
        self.left = [folder / "tmp", self.home]
        self.first = self.tell(self.directory)

    @property
    def clone(self) -> Path:
        return self.directory / "clone"

    def tell(self, directory: Path) -> dict[str, Any]:
        """Run `mlbot demo --json`; what it printed."""
        done = self.run("mlbot", "demo", "--dir", str(directory), "--json")
        told: dict[str, Any] = json.loads(done)
        return told

    def run(self, *line: str) -> str:
        """What a program of the user's printed."""
        done = subprocess.run(line, env=self.environ, capture_output=True, text=True, timeout=400)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for all promises; nobody changes it."""
    yield Demo(tmp_path_factory.mktemp("newcomer"))


def sentences(told: dict[str, Any], title: str) -> str:
    """What the steps whose title holds this text said."""
    return "\n".join(line for step in told["steps"] if title in step["title"] for line in step["said"])


def test_nothing_is_left_but_the_folder(demo: Demo) -> None:
    assert [list(folder.iterdir()) for folder in demo.left] == [[], []]
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            assert not path.readlink().is_relative_to(demo.directory), f"{path} still works there"
        except OSError:
            continue


def test_the_story_has_every_step_with_its_seconds(demo: Demo) -> None:
    titles = " | ".join(step["title"] for step in demo.first["steps"])
    for part in ("sandbox", "three models", "champion", "refused", "merges", "/promote", "mlbot serve", "/rollback"):
        assert part in titles
    assert all(step["seconds"] >= 0 for step in demo.first["steps"])


def test_the_authors_own_approval_is_refused_with_a_reason(demo: Demo) -> None:
    assert "author" in sentences(demo.first, "refused")


def test_git_dvc_and_gto_work_in_the_clone_and_the_live_bytes_are_the_evaluated_ones(demo: Demo) -> None:
    clone = str(demo.clone)
    assert demo.run("git", "-C", clone, "status", "--porcelain") == ""
    release = json.loads(
        demo.run("git", "-C", clone, "show", "origin/mlbot/environments:staging/flight-delays/release.json")
    )
    where = demo.home.parent / "got"
    rev = ["--rev", "mlbot/environments"]
    demo.run("dvc", "get", *rev, str(demo.directory / "origin.git"), "staging/flight-delays/artifact", "-o", str(where))
    digest = "sha256:" + hashlib.sha256((where / "model.skops").read_bytes()).hexdigest()
    hexadecimal = release["evaluation_digest"].removeprefix("sha256:")
    inputs = release["inputs_digest"].removeprefix("sha256:")
    path = f"evaluations/flight-delays/{inputs}/{hexadecimal}.json"
    evaluation = json.loads(demo.run("git", "-C", clone, "show", f"origin/mlbot/ledger:{path}"))
    assert digest == release["artifact_digest"] == evaluation["training"]["artifact_digest"]
    assert "flight-delays" in demo.run("gto", "show", "--repo", clone)


def test_the_rollback_changes_what_is_live_and_what_is_answered(demo: Demo) -> None:
    live = json.loads(demo.run("mlbot", "environments", "--repo", str(demo.clone), "--json"))
    flights = {one["environment"]: one for one in live if one["model"] == "flight-delays"}
    assert flights["production"]["action"] == "rollback"
    assert flights["production"]["artifact_digest"] != flights["staging"]["artifact_digest"]
    before = sentences(demo.first, "mlbot serve").splitlines()[-1]
    after = sentences(demo.first, "/rollback").splitlines()[-1]
    assert "probability" in before and "probability" in after and before.split()[-1] != after.split()[-1]


def test_pages_and_reports_are_files(demo: Demo) -> None:
    pages = {path.name: path.read_text() for path in (demo.directory / "pages").iterdir()}
    assert {f"{kind}-{number}.html" for kind in ("pull-request", "report") for number in (1, 2, 3)} == pages.keys()
    assert "flight-delays" in pages["report-3.html"] and "mlbot/verdict" in pages["pull-request-2.html"]


def test_a_second_demo_trains_nothing_again_and_says_so(demo: Demo) -> None:
    again = Path(shutil.copytree(demo.directory, demo.directory.with_name("again"), symlinks=True))
    second = demo.tell(again)
    assert "not trained again" in sentences(second, "nothing is trained again") or "same inputs digest" in sentences(
        second, "nothing is trained again"
    )
