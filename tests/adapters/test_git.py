"""The repository is read as objects; bot branches are written by compare-and-swap."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pygit2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.adapters.git import GitBranch, LocalGit, credentials
from bot.errors import UserError, WorldError
from tests.repositories import Repository


def git(path: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(path), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(tmp_path / "origin.git")], check=True)
    subprocess.run(
        ["git", "clone", "-q", str(tmp_path / "origin.git"), str(tmp_path / "clone")], check=True, capture_output=True
    )
    path = tmp_path / "clone"
    for key, value in {"user.name": "t", "user.email": "t@example.com"}.items():
        git(path, "config", key, value)
    (path / "a").mkdir()
    (path / "a" / "one.txt").write_text("one")
    (path / "link").symlink_to("/etc/passwd")
    git(path, "checkout", "-qb", "main")
    git(path, "add", "-A")
    git(path, "commit", "-qm", "first")
    git(path, "push", "-q", "origin", "main")
    return path


def test_files_are_read_from_objects_and_links_are_never_followed(clone: Path) -> None:
    repository = LocalGit(clone)
    (clone / "a" / "one.txt").write_text("changed in the work tree only")
    assert repository.read("main", "a/one.txt") == b"one"
    assert repository.read("main", "link") is None
    assert repository.read("main", "link/x") is None
    assert repository.read("main", "a") is None
    assert repository.read("main", "../x") is None
    assert repository.entries("main")["link"].kind == "link"
    assert list(repository.entries("main", "a")) == ["one.txt"]
    assert repository.entries("main", "nothing") == {}


def test_an_unknown_revision_is_a_clear_error(clone: Path) -> None:
    with pytest.raises(UserError, match="no commit 'nope'"):
        LocalGit(clone).resolve("nope")


def test_a_folder_without_a_repository_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a Git repository"):
        LocalGit(tmp_path)


def test_changes_lists_added_removed_and_modified_paths(clone: Path) -> None:
    (clone / "a" / "two.txt").write_text("two")
    (clone / "a" / "one.txt").unlink()
    (clone / "b.txt").write_text("b")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "second")
    repository = LocalGit(clone)
    found = repository.changes("main~1", "main")
    assert [(change.path, change.old is None, change.new is None) for change in found] == [
        ("a/one.txt", False, True),
        ("a/two.txt", True, False),
        ("b.txt", True, False),
    ]
    assert [change.path for change in repository.changes("main~1", "main", under=["b.txt"])] == ["b.txt"]
    assert repository.is_ancestor("main~1", "main") and not repository.is_ancestor("main", "main~1")
    assert repository.merge_base("main~1", "main") == repository.resolve("main~1")


def test_changes_are_those_of_git_itself_for_every_kind_of_entry(clone: Path) -> None:
    """A file becomes a folder, a folder a file, a link a file, a mode changes, names are not UTF-8."""
    (clone / "file").write_text("1")
    (clone / "folder").mkdir()
    (clone / "folder" / "deep").mkdir()
    (clone / "folder" / "deep" / "x").write_text("x")
    (clone / "script").write_text("run")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "second")
    (clone / "file").unlink()
    (clone / "file").mkdir()
    (clone / "file" / "below").write_text("1")
    (clone / "folder" / "deep" / "x").unlink()
    (clone / "folder" / "deep").rmdir()
    (clone / "folder" / "deep").write_text("now a file")
    (clone / "link").unlink()
    (clone / "link").write_text("/etc/passwd")
    (clone / "script").chmod(0o755)
    (clone / os.fsdecode(b"caf\xe9.txt")).write_text("latin")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "third")
    told = git(clone, "diff", "--no-renames", "--name-only", "main~1", "main").splitlines()
    found = [change.path for change in LocalGit(clone).changes("main~1", "main")]
    assert [path for path in found if "caf" not in path] == [path for path in told if "caf" not in path]
    assert "caf\\xe9.txt" in found


def test_a_branch_is_born_grows_and_is_read_back(clone: Path) -> None:
    branch = GitBranch(LocalGit(clone), "mlbot/ledger")
    branch.refresh()
    assert branch.head() is None and branch.paths() == [] and branch.get("x") is None and branch.log() == []
    first = branch.commit({"x/1.json": b"1", "y.json": b"2"}, "first\n\nModel: a")
    assert branch.commit({"x/1.json": b"1"}, "again") is None, "the same content writes nothing"
    second = branch.commit({"x/2.json": b"3", "y.json": None}, "second")
    assert branch.paths() == ["x/1.json", "x/2.json"] and branch.paths("x/2") == ["x/2.json"]
    assert [row[0] for row in branch.log()] == [second, first]
    assert "Model: a" in branch.log("x/1.json")[0][2]
    assert git(clone, "ls-remote", "origin", "refs/heads/mlbot/ledger").startswith(str(second))


def test_two_writers_lose_nothing(clone: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", str(tmp_path / "origin.git"), str(tmp_path / "other")], check=True)
    one, two = (GitBranch(LocalGit(path), "mlbot/ledger") for path in (clone, tmp_path / "other"))
    one.commit({"1": b"1"}, "one")
    two.commit({"2": b"2"}, "two")  # born without knowing of the first
    one.commit({"3": b"3"}, "three")  # stale by one commit
    assert one.paths() == ["1", "2", "3"]


def test_the_ledger_refuses_to_change_a_fact(clone: Path) -> None:
    branch = GitBranch(LocalGit(clone), "mlbot/ledger", append_only=True)
    branch.commit({"fact": b"1"}, "one")
    with pytest.raises(UserError, match="is there already and differs") as caught:
        branch.commit({"fact": b"2"}, "two")
    assert caught.value.code == "ledger_conflict"
    with pytest.raises(UserError):
        branch.commit({"fact": None}, "three")


def test_tags_are_annotated_and_pushing_twice_is_not_an_error(clone: Path) -> None:
    repository = LocalGit(clone)
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    for _ in range(2):
        repository.push_tag("churn@v1.0.0", repository.resolve("main"), "Model: churn", at=at)
    assert [(tag.name, tag.at) for tag in repository.tags()] == [("churn@v1.0.0", at)]
    assert "churn@v1.0.0" in git(clone, "ls-remote", "--tags", "origin")


def test_a_missing_remote_is_the_worlds_fault_and_a_missing_ref_the_users(clone: Path) -> None:
    repository = LocalGit(clone)
    with pytest.raises(UserError, match="origin does not have it"):
        repository.fetch("refs/heads/nothing")
    git(clone, "remote", "set-url", "origin", "http://127.0.0.1:9/x.git")
    with pytest.raises(WorldError, match="cannot fetch from origin"):
        repository.fetch("refs/heads/main")


@pytest.mark.parametrize("goes_away", [True, False])
def test_a_ref_that_another_git_holds_is_waited_for_a_few_times(
    clone: Path, monkeypatch: pytest.MonkeyPatch, goes_away: bool
) -> None:
    lock, waits = clone / ".git/refs/mlbot/tip.lock", []
    lock.parent.mkdir(parents=True)
    lock.touch()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if goes_away:
            lock.unlink()

    monkeypatch.setattr("bot.adapters.git.time.sleep", sleep)
    if goes_away:
        LocalGit(clone).fetch("+refs/heads/main:refs/mlbot/tip")
        assert len(waits) == 1
    else:
        with pytest.raises(WorldError, match=r"another git.*lock"):
            LocalGit(clone).fetch("+refs/heads/main:refs/mlbot/tip")
        assert 1 < len(waits) < 10 and sum(waits) < 10


def test_the_token_is_sent_to_its_server_only_and_never_written() -> None:
    environ = credentials("https://github.example", "secret")
    assert environ["GIT_CONFIG_KEY_0"] == "http.https://github.example/.extraheader"
    assert "secret" not in str(environ), "only in the encoded header"
    assert credentials("https://github.example", None) == {}


NAMES = st.sampled_from(["a", "a.b", "a-b", "a0", "b", "ä", "z z"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@given(st.lists(st.dictionaries(PATHS, st.none() | st.binary(max_size=2), min_size=1, max_size=5), max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_branch_holds_the_tree_that_git_itself_makes_of_its_files(
    tmp_path_factory: pytest.TempPathFactory, writes: list[dict[str, bytes | None]]
) -> None:
    """Folders that appear, vanish, turn into files and back, in names that sort otherwise with a slash."""
    repository = Repository(tmp_path_factory.mktemp("tree"))
    branch = GitBranch(LocalGit(repository.path), "mlbot/x")
    tip, index = None, pygit2.Index()
    for files in writes:
        files = {path: data for path, data in files.items() if not any(other.startswith(path + "/") for other in files)}
        for path, data in files.items():
            there = [one.path for one in index]
            clashes = [one for one in there if one.startswith(path + "/") or path.startswith(one + "/")]
            for one in [path] * (path in there) if data is None else clashes:
                index.remove(one)
            if data is not None:
                blob = repository.git.create_blob(data)
                index.add(pygit2.IndexEntry(path, blob, pygit2.enums.FileMode.BLOB))
        tip = branch._write(tip, files, "write") or tip
        if tip is not None:
            assert repository.git[tip].tree_id == index.write_tree(repository.git)
