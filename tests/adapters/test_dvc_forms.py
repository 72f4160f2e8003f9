"""Data wherever DVC has them: made by DVC itself, and in the form of DVC 2 by hand."""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.adapters.dvc import DvcArtifacts, DvcData
from bot.adapters.git import LocalGit
from bot.errors import MlbotError, UserError
from bot.promote.writing import with_artifact_remote
from tests.repositories import Repository

ROWS = b"x,y\r\n1,2\r\n"


def run(root: Path, *arguments: str) -> None:
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(arguments, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def dvc(root: Path, *arguments: str) -> None:
    run(root, sys.executable, "-m", "dvc", *arguments)


def commit(root: Path) -> str:
    run(root, "git", "add", "-A")
    run(root, "git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "data")
    return LocalGit(root).resolve("HEAD")


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A team's repository: files and folders by `dvc add`, a stage's output, an import; all pushed, the cache gone."""
    root, source = (tmp_path_factory.mktemp(name) for name in ("team", "source"))
    for repository in (root, source):
        run(repository, "git", "init", "-q")
        dvc(repository, "init", "-q")
    (source / "list.csv").write_bytes(ROWS)
    dvc(source, "add", "-q", "list.csv")
    commit(source)
    dvc(root, "remote", "add", "-q", "only", str(tmp_path_factory.mktemp("remote")))  # no default, as some have it
    for path in ("svc/a b/data/accounts.csv", "raw/one.csv", "raw/two.csv", "raw/.gitkeep", "in.csv"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(ROWS + path.encode())
    dvc(root, "add", "-q", "svc/a b/data/accounts.csv", "raw")
    stage = ("-n", "prepare", "-w", "svc", "-d", "../in.csv", "-o", "out", "mkdir -p out && cp ../in.csv out/x.csv")
    dvc(root, "stage", "add", "-q", "--run", *stage)
    dvc(root, "import", "-q", str(source), "list.csv", "-o", "imported.csv")
    dvc(root, "push", "-q", "-r", "only")
    sha = commit(root)
    shutil.rmtree(root / ".dvc/cache")
    return root, sha


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("svc/a b/data/accounts.csv", ["svc/a b/data/accounts.csv"]),
        ("svc/a b/data", ["svc/a b/data/accounts.csv"]),
        ("raw", ["raw/one.csv", "raw/two.csv"]),
        ("raw/two.csv", ["raw/two.csv"]),
        ("svc/out", ["svc/out/x.csv"]),
    ],
)
def test_a_path_is_found_however_dvc_tracks_it(team, tmp_path, path, files):
    root, sha = team
    data = DvcData(root, LocalGit(root))
    found = data.files(sha, path)
    assert [file.path for file in found] == files
    data.fetch(found, tmp_path)
    assert all((tmp_path / file).read_bytes().startswith(ROWS) for file in files)


def test_an_import_that_nobody_pushed_says_what_to_do(team, tmp_path):
    root, sha = team
    data = DvcData(root, LocalGit(root))
    (file,) = data.files(sha, "imported.csv")
    with pytest.raises(MlbotError) as caught:
        data.fetch([file], tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize("path", ["nothing.csv", "raw/three.csv", "ra", "svc/a b/data/accounts.csv/x"])
def test_what_nobody_tracks_is_named(team, path):
    root, sha = team
    with pytest.raises(UserError) as caught:
        DvcData(root, LocalGit(root)).files(sha, path)
    assert caught.value.code == "data_path_missing"
    assert path in str(caught.value)


def test_rows_are_added_to_the_folder_that_holds_them_and_hidden_files_stay(team, tmp_path):
    root, sha = team
    at = tmp_path / "new.csv"
    at.write_bytes(b"new")
    written = DvcData(root, LocalGit(root)).add(sha, {"raw/three.csv": at})
    assert list(written) == ["raw.dvc"]
    work = tmp_path / "clone"
    run(tmp_path, "git", "clone", "-q", str(root), str(work))
    (work / "raw.dvc").write_bytes(written["raw.dvc"])
    dvc(work, "pull", "-q", "-r", "only", "raw.dvc")
    assert sorted(path.name for path in (work / "raw").iterdir()) == [".gitkeep", "one.csv", "three.csv", "two.csv"]


@pytest.mark.parametrize("path", ["svc/out/y.csv", "imported.csv"])
def test_rows_are_not_added_to_what_somebody_else_makes(team, tmp_path, path):
    root, sha = team
    at = tmp_path / "new.csv"
    at.write_bytes(b"new")
    with pytest.raises(UserError) as caught:
        DvcData(root, LocalGit(root)).add(sha, {path: at})
    assert caught.value.code == "format_unfit"
    assert caught.value.hint


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """(folder, its address): a remote that can only be read."""
    folder = tmp_path / "remote"
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("kept", ["in the repository", "in a folder", "over HTTP"])
def test_what_dvc_2_keeps_is_read_where_it_keeps_it(tmp_path, served, kept):
    """It hashed text with the line ends of Unix, and its remotes have no `files/md5`."""
    root = tmp_path / "team"
    made = Repository(root)
    unix = hashlib.md5(ROWS.replace(b"\r\n", b"\n")).hexdigest()
    listing = json.dumps([{"md5": unix, "relpath": "a.csv"}]).encode()
    folder = hashlib.md5(listing).hexdigest() + ".dir"
    objects = {f"{oid[:2]}/{oid[2:]}": content for oid, content in {unix: ROWS, folder: listing}.items()}
    url = {"in the repository": "../kept", "in a folder": str(served[0]), "over HTTP": served[1]}[kept]
    (root / ".dvc").mkdir()
    (root / ".dvc/config").write_text(f"[core]\n    remote = r\n['remote \"r\"']\n    url = {url}\n")
    files: dict[str, str | bytes] = {"data.dvc": f"outs:\n- md5: {folder}\n  size: 9\n  nfiles: 1\n  path: data\n"}
    for path, content in objects.items():
        if kept == "in the repository":
            files[f"kept/{path}"] = content
        else:
            (served[0] / path).parent.mkdir(parents=True, exist_ok=True)
            (served[0] / path).write_bytes(content)
    sha = made.commit(files)
    data = DvcData(root, LocalGit(root))
    data.fetch(data.files(sha, "data/a.csv"), tmp_path / "in")
    assert (tmp_path / "in/data/a.csv").read_bytes() == ROWS


def test_artifacts_go_to_the_remote_of_the_bot_where_the_teams_own_cannot_be_written(tmp_path, served):
    root = tmp_path / "team"
    Repository(root)
    (root / ".dvc").mkdir()
    remotes = f"['remote \"r\"']\n    url = {served[1]}\n['remote \"mlbot\"']\n    url = {tmp_path / 'artifacts'}\n"
    (root / ".dvc/config").write_text(f"[core]\n    remote = r\n{remotes}")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/model.skops").write_bytes(b"model")
    artifacts = DvcArtifacts(root)
    artifacts.fetch(artifacts.store(tmp_path / "in"), tmp_path / "out")
    assert (tmp_path / "out/model.skops").read_bytes() == b"model"
    assert not list(served[0].iterdir())


def test_a_broken_pointer_concerns_only_who_may_need_it(tmp_path):
    made = Repository(tmp_path)
    good = f"outs:\n- md5: {'a' * 32}\n  hash: md5\n  path: a.csv\n"
    sha = made.commit({"x/a.csv.dvc": good, "x/b.csv.dvc": "outs: [", "broken.dvc": "- 1\n"})
    data = DvcData(tmp_path, LocalGit(tmp_path))
    assert [file.path for file in data.files(sha, "x/a.csv")] == ["x/a.csv"]
    for path in ("x/b.csv", "x"):
        with pytest.raises(UserError) as caught:
            data.files(sha, path)
        assert caught.value.place


def test_what_is_live_is_found_by_dvc_in_the_remote_of_the_bot():
    unchanged = b"[core]\n    remote = r\n['remote \"r\"']\n    url = http://x\n"
    mine = with_artifact_remote(unchanged + b"['remote \"mlbot\"']\n    url = s3://b\n")
    config = configparser.RawConfigParser()
    config.read_string(mine.decode())
    assert (config["core"]["remote"], config["'remote \"r\"'"]["url"]) == ("mlbot", "http://x")
    assert with_artifact_remote(unchanged) == unchanged
