"""What every Data port owes: the files of a commit, and their bytes, or a clear error."""

from __future__ import annotations

import hashlib
import json

import pytest

from bot.adapters.dvc import DvcData
from bot.adapters.git import LocalGit
from bot.errors import UserError
from bot.records.plan import DataFile
from bot.specs.pointer import read_pointer
from tests.fakes.data import FakeData
from tests.repositories import Repository

FILES = {"data/a/one.csv": b"x\n1\n", "data/a/two.csv": b"x\n2\n", "data/b.csv": b"x\n3\n"}


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def pointed(files: dict[str, bytes]) -> tuple[str, dict[str, bytes]]:
    """(pointer text, objects by id) as `dvc add data` and `dvc push` make them."""
    listing = [{"md5": md5(data), "relpath": name.removeprefix("data/")} for name, data in sorted(files.items())]
    content = json.dumps(listing, sort_keys=True).encode()
    oid = md5(content) + ".dir"
    size = sum(map(len, files.values()))
    text = f"outs:\n- md5: {oid}\n  size: {size}\n  nfiles: {len(files)}\n  hash: md5\n  path: data\n"
    return text, {oid: content, **{md5(data): data for data in files.values()}}


@pytest.fixture(params=["fake", "dvc", "embedded"])
def data(request, tmp_path):
    if request.param == "fake":
        return "sha", FakeData({"sha": FILES})
    repository = Repository(tmp_path / "repository")
    pointer, objects = pointed(FILES)
    if request.param == "embedded":  # the objects are files of the repository
        (tmp_path / "repository/.dvc").mkdir()
        config = "[core]\n    remote = r\n['remote \"r\"']\n    url = embedded\n"
        (tmp_path / "repository/.dvc/config").write_text(config)
        kept = {f".dvc/embedded/files/md5/{oid[:2]}/{oid[2:]}": content for oid, content in objects.items()}
        sha = repository.commit({"data.dvc": pointer, ".dvc/config": config, **kept})
        return sha, DvcData(tmp_path / "repository", LocalGit(tmp_path / "repository"))
    remote = tmp_path / "remote"
    for oid, content in objects.items():
        path = remote / "files/md5" / oid[:2] / oid[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "repository/.dvc").mkdir()
    (tmp_path / "repository/.dvc/config").write_text(f"[core]\n    remote = r\n['remote \"r\"']\n    url = {remote}\n")
    sha = repository.commit({"data.dvc": pointer})
    return sha, DvcData(tmp_path / "repository", LocalGit(tmp_path / "repository"))


def repository_of(tmp_path, sha):
    """The repository again, with the files of a commit to add to."""
    repository = Repository(tmp_path / "repository")
    repository._index.read_tree(repository.git[sha].tree)
    return repository


def test_files_below_a_path_come_sorted_with_their_hash(data):
    sha, port = data
    found = port.files(sha, "data/a")
    assert [(file.path, file.md5) for file in found] == [
        ("data/a/one.csv", md5(b"x\n1\n")),
        ("data/a/two.csv", md5(b"x\n2\n")),
    ]
    assert [file.path for file in port.files(sha, "data/b.csv")] == ["data/b.csv"]
    assert len(port.files(sha, "data")) == 3


def test_a_path_that_is_not_tracked_is_a_clear_error(data):
    sha, port = data
    with pytest.raises(UserError, match=r"is not in data\.dvc") as caught:
        port.files(sha, "data/none")
    assert caught.value.code == "data_path_missing"
    with pytest.raises(UserError):
        port.files(sha, "data/a/on")  # a part of a name is not a folder


def test_the_bytes_arrive_where_they_belong(data, tmp_path):
    sha, port = data
    port.fetch(port.files(sha, "data/a"), tmp_path / "in")
    found = {path.relative_to(tmp_path / "in").as_posix(): path.read_bytes() for path in (tmp_path / "in").rglob("*.*")}
    assert found == {"data/a/one.csv": b"x\n1\n", "data/a/two.csv": b"x\n2\n"}


def test_an_object_that_nobody_has_is_named_with_the_next_step(data, tmp_path):
    _, port = data
    with pytest.raises(UserError) as caught:
        port.fetch([DataFile(path="data/c.csv", md5="0" * 32)], tmp_path / "in")
    assert caught.value.code == "data_object_missing"
    assert "dvc push" in (caught.value.hint or "")
    assert not list((tmp_path / "in").rglob("*.csv")), "no half-written file"


def test_a_file_that_is_added_stands_beside_what_was_there(data, tmp_path):
    """What `add` gives, committed, is a commit whose data are the old files and the new ones."""
    sha, port = data
    at = tmp_path / "new.csv"
    at.write_bytes(b"x\n4\n")
    written = port.add(sha, {"data/a/three.csv": at, "data/b.csv": at})
    out = read_pointer(written["data.dvc"], "data.dvc", path="data")
    assert (out.nfiles, out.size) == (4, sum(map(len, FILES.values())) + 4)
    if isinstance(port, FakeData):
        return
    after = repository_of(tmp_path, sha).commit(written)
    again = DvcData(tmp_path / "repository", LocalGit(tmp_path / "repository"))
    again.fetch(again.files(after, "data"), tmp_path / "out")
    paths = (tmp_path / "out").rglob("*.csv")
    found = {path.relative_to(tmp_path / "out").as_posix(): path.read_bytes() for path in paths}
    assert found == {**FILES, "data/a/three.csv": b"x\n4\n", "data/b.csv": b"x\n4\n"}
