"""What every Git port owes: objects of a commit as they are, nothing through links, ancestry, tags that stay."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pygit2
import pytest

from bot.adapters.git import LocalGit
from bot.errors import UserError
from bot.ports import Git
from tests.fakes.git import FakeGit
from tests.repositories import Repository

OLD = {"models/a/model.yaml": b"one\n", "models/b/model.yaml": b"two\n", "readme": b"hello\n"}
NEW = {"models/a/model.yaml": b"three\n", "models/b/model.yaml": None, "models/c/model.yaml": b"four\n"}
AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def pushed(path: Path) -> tuple[Repository, str, str]:
    """A repository with an empty bare one as its origin, an old commit and a new one."""
    repository = Repository(path / "work")
    pygit2.init_repository(str(path / "origin"), bare=True)
    repository.git.remotes.create("origin", str(path / "origin"))
    return repository, repository.commit(OLD), repository.commit(NEW)


@pytest.fixture(params=["fake", "git"])
def git(request: Any, tmp_path: Path) -> tuple[Git, str, str]:
    if request.param == "git":
        _, old, new = pushed(tmp_path)
        return LocalGit(tmp_path / "work"), old, new
    tree = {name: data for name, data in {**OLD, **NEW}.items() if data is not None}
    fake = FakeGit(trees={"1" * 40: dict(OLD), "2" * 40: tree}, parents={"2" * 40: ("1" * 40,)})
    fake.refs["main"] = "2" * 40
    return fake, "1" * 40, "2" * 40


def test_a_name_stands_for_a_commit_and_an_unknown_one_is_an_error(git: tuple[Git, str, str]) -> None:
    port, _, new = git
    assert port.resolve("main") == port.resolve(new) == new
    with pytest.raises(UserError):
        port.resolve("nowhere")


def test_files_are_read_as_they_were_at_a_commit(git: tuple[Git, str, str]) -> None:
    port, old, new = git
    assert (port.read(old, "models/a/model.yaml"), port.read(new, "models/a/model.yaml")) == (b"one\n", b"three\n")
    assert port.read(new, "models/b/model.yaml") is None, "it was removed"
    assert port.read(new, "models/a") is None, "a folder is no file"
    assert port.read(new, "models/a/model.yaml/more") is None


def test_a_folder_lists_its_children_and_an_absent_one_is_empty(git: tuple[Git, str, str]) -> None:
    port, old, new = git
    assert {name: one.kind for name, one in port.entries(new).items()} == {"models": "tree", "readme": "blob"}
    assert sorted(port.entries(new, "models")) == ["a", "c"]
    assert port.entries(new, "none") == {}
    before, after = port.entries(old), port.entries(new)
    assert before["readme"].oid == after["readme"].oid, "equal content has the same id"
    assert before["models"].oid != after["models"].oid, "a folder's id follows what is in it"


def test_changes_are_sorted_and_say_what_came_and_went(git: tuple[Git, str, str]) -> None:
    port, old, new = git
    found = port.changes(old, new)
    assert [one.path for one in found] == ["models/a/model.yaml", "models/b/model.yaml", "models/c/model.yaml"]
    assert [(one.old is None, one.new is None) for one in found] == [(False, False), (False, True), (True, False)]
    assert [one.path for one in port.changes(old, new, under=["models/c"])] == ["models/c/model.yaml"]
    assert port.changes(old, new, under=["models/c/mod"]) == [], "`under` names folders and files, no prefixes"
    assert port.changes(new, new) == []


def test_ancestry(git: tuple[Git, str, str]) -> None:
    port, old, new = git
    assert port.merge_base(old, new) == port.merge_base(new, old) == old
    assert port.is_ancestor(old, new) and port.is_ancestor(new, new)
    assert not port.is_ancestor(new, old)


def test_the_commits_of_a_push(git: tuple[Git, str, str]) -> None:
    port, old, new = git
    assert port.line(old, new) == [new]
    assert port.line("0" * 40, new) == [new] and port.line(new, old) == [old]


def test_a_tag_is_pushed_once_and_found_again(git: tuple[Git, str, str]) -> None:
    port, old, new = git
    port.push_tag("a@v1.0.0", old, "Model: a\n", at=AT)
    port.push_tag("a@v1.1.0", new, "Model: a\n", at=AT.replace(hour=6))
    port.push_tag("a@v1.0.0", old, "Model: a\n", at=AT)
    assert [(tag.name, tag.commit, tag.at) for tag in port.tags()] == [
        ("a@v1.0.0", old, AT),
        ("a@v1.1.0", new, AT.replace(hour=6)),
    ]


def test_a_stamp_is_when_something_last_happened_to_the_second(git: tuple[Git, str, str]) -> None:
    port, _, _ = git
    assert port.stamp("reconciled") is None
    for at in (AT, AT.replace(hour=7)):
        assert port.set_stamp("reconciled", at) is True
        assert port.stamp("reconciled") == at
    assert port.stamp("other") is None


def test_of_two_who_set_a_stamp_at_once_one_is_told_no(tmp_path: Path) -> None:
    pushed(tmp_path)
    one = LocalGit(tmp_path / "work")
    assert one.set_stamp("reconciled", AT)
    pygit2.clone_repository(str(tmp_path / "origin"), str(tmp_path / "other"))
    two = LocalGit(tmp_path / "other")
    assert two.stamp("reconciled") is None, "a clone does not bring it"
    assert two.set_stamp("reconciled", AT.replace(hour=8)) is False
    two.fetch("+refs/mlbot/*:refs/mlbot/*")
    assert two.stamp("reconciled") == AT and two.set_stamp("reconciled", AT.replace(hour=8))
    assert one.set_stamp("reconciled", AT.replace(hour=9)) is False


def test_links_and_submodules_are_named_and_never_followed(tmp_path: Path) -> None:
    repository, _, _ = pushed(tmp_path)
    repository.submodule("sub")
    sha = repository.commit({"real/file": b"secret\n"}, links={"link": "real", "one": "real/file"})
    port = LocalGit(tmp_path / "work")
    kinds = {name: one.kind for name, one in port.entries(sha).items()}
    assert (kinds["link"], kinds["one"], kinds["sub"]) == ("link", "link", "commit")
    assert port.read(sha, "one") is None and port.read(sha, "link/file") is None and port.read(sha, "sub/file") is None


def test_a_ref_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    pushed(tmp_path)
    with pytest.raises(UserError):
        LocalGit(tmp_path / "work").fetch("refs/heads/none")
