"""Data and artifacts by content: real DVC understands what we write, and nothing unverified comes in."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from bot.adapters.dvc import DvcArtifacts, DvcData
from bot.adapters.dvc_store import embedded_folder
from bot.adapters.git import LocalGit
from bot.errors import UserError, WorldError
from tests.contract.test_data import FILES, md5, pointed
from tests.fakes.branch import FakeBranch
from tests.repositories import Repository

EMBEDDED = "[core]\n    remote = embedded\n['remote \"embedded\"']\n    url = embedded\n"


def dvc(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def repository(path: Path, config: str = EMBEDDED) -> Repository:
    made = Repository(path)
    (path / ".dvc").mkdir()
    (path / ".dvc/config").write_text(config)
    return made


def test_dvc_pulls_an_artifact_by_the_pointer_that_we_write(tmp_path):
    root = tmp_path / "repository"
    repository(root)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/model.skops").write_bytes(b"model")
    (root / "artifact.dvc").write_text(DvcArtifacts(root).store(tmp_path / "in"))
    dvc(root, "pull", "-q", "artifact.dvc")
    assert (root / "artifact/model.skops").read_bytes() == b"model"


def test_we_read_what_dvc_wrote(tmp_path):
    root = tmp_path / "repository"
    made = repository(root)
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    dvc(root, "add", "-q", "data")
    dvc(root, "push", "-q")
    sha = made.commit({"data.dvc": (root / "data.dvc").read_text()})
    data = DvcData(root, LocalGit(root))
    assert {file.path: file.md5 for file in data.files(sha, "data")} == {k: md5(v) for k, v in FILES.items()}


def test_a_pull_request_can_bring_data_in_the_embedded_remote_of_its_own_commit(tmp_path):
    """The checkout is the default branch, so the objects are there only as Git objects of the head."""
    made = repository(tmp_path)
    pointer, objects = pointed(FILES)
    committed = {f".dvc/embedded/files/md5/{oid[:2]}/{oid[2:]}": content for oid, content in objects.items()}
    head = made.commit({"data.dvc": pointer, **committed})
    data = DvcData(tmp_path, LocalGit(tmp_path))
    data.fetch(data.files(head, "data"), tmp_path / "in")
    assert (tmp_path / "in/data/b.csv").read_bytes() == FILES["data/b.csv"]
    other_process = DvcData(tmp_path, LocalGit(tmp_path), at=[head])
    other_process.fetch(data.files(head, "data"), tmp_path / "in2")
    assert (tmp_path / "in2/data/b.csv").read_bytes() == FILES["data/b.csv"]


def test_the_configuration_of_the_head_is_never_used(tmp_path):
    made = repository(tmp_path)
    pointer, _ = pointed(FILES)
    evil = tmp_path / "elsewhere"
    head = made.commit(
        {"data.dvc": pointer, ".dvc/config": f"[core]\n    remote = e\n['remote \"e\"']\n    url = {evil}\n"}
    )
    with pytest.raises(WorldError) as caught:
        DvcData(tmp_path, LocalGit(tmp_path)).files(head, "data")
    assert caught.value.code == "data_object_missing"


def test_bytes_that_are_not_what_their_name_says_are_refused(tmp_path):
    made = repository(tmp_path)
    pointer, objects = pointed(FILES)
    for oid, content in objects.items():
        path = tmp_path / ".dvc/embedded/files/md5" / oid[:2] / oid[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if oid.endswith(".dir") else content + b"poison")
    data = DvcData(tmp_path, LocalGit(tmp_path))
    files = data.files(made.commit({"data.dvc": pointer}), "data")
    with pytest.raises(UserError) as caught:
        data.fetch(files, tmp_path / "in")
    assert caught.value.code == "data_object_corrupt"
    assert not list((tmp_path / "in").rglob("*.csv"))


@pytest.mark.parametrize(
    "relpath", ["../x", "/etc/x", "a/../../x", "a//b", ".", "", "a\\b", "a\x00b", ".git/hooks/x", "a/./b"]
)
def test_a_listing_that_leaves_data_is_refused(tmp_path, relpath):
    import json

    made = repository(tmp_path)
    content = json.dumps([{"md5": "0" * 32, "relpath": relpath}], sort_keys=True).encode()
    oid = hashlib.md5(content).hexdigest() + ".dir"
    text = f"outs:\n- md5: {oid}\n  size: 1\n  nfiles: 1\n  hash: md5\n  path: data\n"
    head = made.commit({"data.dvc": text, f".dvc/embedded/files/md5/{oid[:2]}/{oid[2:]}": content})
    with pytest.raises(UserError, match="not a path below data/"):
        DvcData(tmp_path, LocalGit(tmp_path)).files(head, "data")


def test_a_pointer_that_is_a_link_is_not_followed(tmp_path):
    made = repository(tmp_path)
    head = made.commit({"x": "y"}, links={"data.dvc": "/etc/passwd"})
    with pytest.raises(UserError, match=r"there is no data\.dvc"):
        DvcData(tmp_path, LocalGit(tmp_path)).files(head, "data")


def test_without_a_remote_the_message_says_how_to_set_one(tmp_path):
    made = repository(tmp_path, config="[core]\n    analytics = false\n")
    pointer, _ = pointed(FILES)
    with pytest.raises(UserError, match="no usable DVC remote") as caught:
        DvcData(tmp_path, LocalGit(tmp_path)).files(made.commit({"data.dvc": pointer}), "data")
    assert "dvc remote add" in (caught.value.hint or "")


def test_a_remote_that_does_not_answer_is_the_world_s_fault(tmp_path):
    made = repository(tmp_path, config="[core]\n    remote = r\n['remote \"r\"']\n    url = http://127.0.0.1:9/x\n")
    pointer, _ = pointed(FILES)
    with pytest.raises(WorldError):
        DvcData(tmp_path, LocalGit(tmp_path)).files(made.commit({"data.dvc": pointer}), "data")


@pytest.mark.parametrize(
    ("url", "folder"),
    [("embedded", ".dvc/embedded"), ("../store", "store"), ("../../out", None), ("/abs", None), ("s3://b/x", None)],
)
def test_a_remote_inside_the_repository_is_recognised(tmp_path, url, folder):
    repository(tmp_path, config=f"[core]\n    remote = r\n['remote \"r\"']\n    url = {url}\n")
    assert embedded_folder(tmp_path) == folder


def test_with_the_embedded_remote_artifacts_are_kept_on_a_branch_of_their_own(tmp_path):
    """A job's checkout is gone with the job; the next job, in a fresh clone, still gets the bytes."""
    branch = FakeBranch(append_only=True)
    for name in ("one", "two"):
        repository(tmp_path / name)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/model.skops").write_bytes(b"model")
    pointer = DvcArtifacts(tmp_path / "one", branch).store(tmp_path / "in")
    assert DvcArtifacts(tmp_path / "one", branch).store(tmp_path / "in") == pointer, "again is no conflict"
    DvcArtifacts(tmp_path / "two", branch).fetch(pointer, tmp_path / "out")
    assert (tmp_path / "out/model.skops").read_bytes() == b"model"


def test_with_a_remote_elsewhere_the_branch_is_not_used(tmp_path):
    repository(tmp_path, config=f"[core]\n    remote = r\n['remote \"r\"']\n    url = {tmp_path / 'remote'}\n")
    branch = FakeBranch()
    (tmp_path / "in").mkdir()
    (tmp_path / "in/model.skops").write_bytes(b"model")
    DvcArtifacts(tmp_path, branch).store(tmp_path / "in")
    assert branch.head() is None
