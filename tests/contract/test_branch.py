"""What every Branch port owes: one commit a change, a lost race repeated, nothing overwritten that is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pygit2
import pytest

from bot.adapters.git import GitBranch, LocalGit
from bot.adapters.journal import JournalBranch, Seal
from bot.adapters.signed_branch import SignedBranch
from bot.adapters.signing import KeyPair, generate
from bot.errors import UserError
from bot.ports import Branch
from tests.fakes.branch import FakeBranch
from tests.repositories import Repository

NAME = "mlbot/ledger"


def work(path: Path, name: str) -> LocalGit:
    """A work repository whose origin is the bare one at `path/origin`."""
    repository = Repository(path / name)
    if not (path / "origin").exists():
        pygit2.init_repository(str(path / "origin"), bare=True)
    repository.git.remotes.create("origin", str(path / "origin"))
    return LocalGit(path / name)


def make(kind: str, path: Path, *, append_only: bool = False) -> Branch:
    if kind == "fake":
        return FakeBranch(append_only=append_only)
    branch = GitBranch(work(path, "one"), NAME, append_only=append_only and kind != "journal")
    if kind == "git":
        return branch
    private, public = generate()
    keys = KeyPair(private, {"test.pub": public})
    if kind == "journal":
        return JournalBranch(branch, Seal(keys, NAME, "here"), lambda: datetime.now(UTC))
    return SignedBranch(branch, NAME, keys)


@pytest.fixture(params=["fake", "git", "signed", "journal"])
def kind(request: Any) -> str:
    return str(request.param)


@pytest.fixture(params=["fake", "git", "signed"])
def free(request: Any) -> str:
    """A kind of branch on which what is there may change: the journal only grows."""
    return str(request.param)


def test_what_was_written_is_read_and_listed(kind: str, tmp_path: Path) -> None:
    port = make(kind, tmp_path)
    assert (port.head(), port.get("a/x"), port.paths()) == (None, None, [])
    sha = port.commit({"a/x": b"1", "a/y": b"2", "b/z": b"3"}, "Write three")
    assert sha is not None and port.head() == sha
    assert port.get("a/x") == b"1" and port.get("a/none") is None
    assert port.paths("a/") == ["a/x", "a/y"] and port.paths() == ["a/x", "a/y", "b/z"]


def test_equal_content_makes_no_commit(kind: str, tmp_path: Path) -> None:
    port = make(kind, tmp_path)
    first = port.commit({"a": b"1"}, "Write")
    assert port.commit({"a": b"1"}, "Write again") is None
    assert port.head() == first


def test_none_removes(free: str, tmp_path: Path) -> None:
    port = make(free, tmp_path)
    port.commit({"a": b"1", "b": b"2"}, "Write")
    port.commit({"a": None}, "Remove")
    assert port.get("a") is None and port.paths() == ["b"]


def test_the_log_is_newest_first_and_can_be_asked_of_a_path(free: str, tmp_path: Path) -> None:
    port = make(free, tmp_path)
    port.commit({"a/x": b"1"}, "First")
    port.commit({"b/y": b"2"}, "Second")
    port.commit({"a/x": b"3"}, "Third")
    assert [message for _, _, message in port.log()] == ["Third", "Second", "First"]
    assert [message for _, _, message in port.log("a/x")] == ["Third", "First"]
    first = port.log("a/x")[-1][1]
    assert {path: at for path, at in port.written("a/").items() if not path.endswith(".sig")}["a/x"] == first


def test_an_append_only_branch_keeps_what_is_there(kind: str, tmp_path: Path) -> None:
    """Whatever the commit holds besides: nothing of it is written."""
    port = make(kind, tmp_path, append_only=True)
    port.commit({"approvals/1": b"yes"}, "Approve")
    for change in (b"no", None):
        with pytest.raises(UserError) as caught:
            port.commit({"new": b"1", "approvals/1": change}, "Forge")
        assert caught.value.code == "ledger_conflict"
    assert port.get("approvals/1") == b"yes" and port.get("new") is None


def test_a_head_may_be_judged_again_on_an_append_only_branch(kind: str, tmp_path: Path) -> None:
    port = make(kind, tmp_path, append_only=True)
    port.commit({"heads/1/abc.json": b"1"}, "Judge")
    port.commit({"heads/1/abc.json": b"2"}, "Judge again")
    assert port.get("heads/1/abc.json") == b"2"


def test_a_commit_that_expects_another_state_is_refused(free: str, tmp_path: Path) -> None:
    port = make(free, tmp_path)
    port.commit({"lock": b"owen"}, "Lock", expect={"lock": None})
    for expected in (None, b"vera"):
        with pytest.raises(UserError) as caught:
            port.commit({"lock": b"rhea"}, "Lock", expect={"lock": expected})
        assert caught.value.code == "branch_moved"
    port.commit({"lock": b"rhea"}, "Hand over", expect={"lock": b"owen"})
    assert port.get("lock") == b"rhea"


def test_a_lost_race_is_repeated_on_the_new_tip(tmp_path: Path) -> None:
    """Two jobs write at once: both commits are there, in some order."""
    one, two = (GitBranch(work(tmp_path, name), NAME) for name in ("one", "two"))
    one.commit({"a": b"1"}, "From one")
    two.commit({"b": b"2"}, "From two, who knew of nothing")
    assert two.paths() == ["a", "b"]
    one.refresh()
    assert one.head() == two.head() and len(one.log()) == 2


def test_what_was_expected_is_asked_of_the_tip_that_is_written_on(tmp_path: Path) -> None:
    """The first to write the lock has it; the second is refused, though it was free when it looked."""
    one, two = (GitBranch(work(tmp_path, name), NAME) for name in ("one", "two"))
    one.commit({"lock": b"one"}, "Lock", expect={"lock": None})
    with pytest.raises(UserError) as caught:
        two.commit({"lock": b"two"}, "Lock", expect={"lock": None})
    assert caught.value.code == "branch_moved"
