"""A signing key is changed, or leaks: the rehearsal of docs/threat-model.md, in both layouts of the ledger."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.git import GitBranch, LocalGit
from bot.adapters.journal import JournalBranch, Seal
from bot.adapters.kept import trusted_commits
from bot.adapters.signed_branch import PAYLOAD_TYPE, SignedBranch
from bot.adapters.signing import VARIABLE, KeyPair, generate, key_pair
from bot.errors import UserError
from bot.records.ledger import ENVIRONMENTS, LEDGER, head_path, revocation_path
from tests.fakes.git import FakeGit
from tests.repositories import Repository

OLD, NEW = generate(), generate()
NOW = datetime(2026, 3, 4, tzinfo=UTC)
HEAD, LATER = head_path(7, "a" * 40), head_path(8, "b" * 40)
PLAIN, FORGED = revocation_path("sha256:" + "1" * 64), revocation_path("sha256:" + "2" * 64)
MAIN = "c" * 40


@pytest.fixture
def git(tmp_path: Path) -> LocalGit:
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", tmp_path / "origin"], check=True)
    repository = Repository(tmp_path / "clone")
    repository.git.remotes.create("origin", str(tmp_path / "origin"))
    return LocalGit(tmp_path / "clone")


def first(git: LocalGit, keys: KeyPair) -> Any:
    return SignedBranch(GitBranch(git, LEDGER, append_only=True), LEDGER, keys)


def second(git: LocalGit, keys: KeyPair) -> Any:
    return JournalBranch(GitBranch(git, LEDGER), Seal(keys, LEDGER, "here"), lambda: NOW)


Layout = Callable[[LocalGit, KeyPair], Any]
LAYOUTS = pytest.mark.parametrize("layout", [first, second], ids=["first layout", "second layout"])


def keys(git: LocalGit, private: bytes | None, **files: bytes) -> KeyPair:
    """The keys by the files of policies/keys on the default branch, as every job and every clone reads them."""
    tree = {f"policies/keys/{name.replace('_', '.')}": data for name, data in files.items()}

    class Here(FakeGit):
        """The default branch, over the branches of the bot as they are."""

        def entries(self, sha: str, path: str = "") -> Any:
            return super().entries(sha, path) if sha == MAIN else git.entries(sha, path)

        def read(self, sha: str, path: str) -> bytes | None:
            return super().read(sha, path) if sha == MAIN else git.read(sha, path)

    found = key_pair({VARIABLE: private.decode()} if private else {}, Here(trees={MAIN: tree}, refs={}), MAIN)
    assert found is not None
    return found


def refused(branch: Any, path: str) -> bool:
    try:
        return branch.get(path) is None
    except UserError as error:
        assert error.code == "signature_invalid"
        return True


@LAYOUTS
def test_a_key_is_changed_and_what_the_old_one_signed_stays_good(git: LocalGit, layout: Layout) -> None:
    """Add the new public half, change the secret, keep the old public half."""
    layout(git, keys(git, OLD[0], old_pub=OLD[1])).commit({HEAD: b"{}", PLAIN: b"{}"}, "before")
    both = {"old_pub": OLD[1], "new_pub": NEW[1]}
    after = layout(git, keys(git, NEW[0], **both))
    assert after.commit({LATER: b"{}"}, "after") is not None
    reader = layout(git, keys(git, None, **both))
    assert [reader.get(path) for path in (HEAD, PLAIN, LATER)] == [b"{}"] * 3 and reader.unsigned() == []
    assert refused(layout(git, keys(git, None, new_pub=NEW[1])), HEAD), "without the old half it is nobody's"


@LAYOUTS
def test_a_key_leaks_and_only_what_stood_before_is_kept_of_it(git: LocalGit, layout: Layout) -> None:
    layout(git, keys(git, OLD[0], old_pub=OLD[1])).commit({HEAD: b'{"a":1}', PLAIN: b"{}"}, "before the leak")
    good = GitBranch(git, LEDGER).head()
    assert good is not None
    thief = layout(git, keys(git, OLD[0], old_pub=OLD[1]))
    thief.commit({FORGED: b"{}", LATER: b"{}", HEAD: b'{"a":2}'}, "the thief's")
    files = {"old_pub": OLD[1], "new_pub": NEW[1], "old_revoked": f"{LEDGER} {good}  # the day before\n".encode()}
    reader = layout(git, keys(git, None, **files))
    assert reader.get(PLAIN) == b"{}", "what stood before is good"
    assert refused(reader, FORGED) and refused(reader, LATER), "what came after is void, also where it is honest"
    assert reader.head() != good and (refused(reader, HEAD) or reader.get(HEAD) == b'{"a":1}')

    git.run("push", "-q", "--force", "origin", f"{good}:refs/heads/{LEDGER}")  # an administrator puts it back
    git.fetch(f"+refs/heads/{LEDGER}:refs/remotes/origin/{LEDGER}")
    bot = layout(git, keys(git, NEW[0], **files))
    bot.commit({LATER: b"{}"}, "done again")
    reader = layout(git, keys(git, None, **files))
    assert [reader.get(path) for path in (HEAD, PLAIN, LATER)] == [b'{"a":1}', b"{}", b"{}"]
    assert reader.unsigned() == []


def test_a_job_that_still_holds_the_leaked_key_signs_nothing(git: LocalGit) -> None:
    pair = keys(git, OLD[0], old_pub=OLD[1], new_pub=NEW[1], old_revoked=b"")
    with pytest.raises(UserError) as caught:
        pair.sign(PAYLOAD_TYPE, b"{}")
    assert caught.value.code == "signing_key_revoked"
    with pytest.raises(UserError) as caught:
        pair.verify(PAYLOAD_TYPE, keys(git, OLD[0], old_pub=OLD[1]).sign(PAYLOAD_TYPE, b"{}"))
    assert "the key old.pub is revoked" in caught.value.message


@LAYOUTS
def test_what_the_thief_copies_from_before_the_leak_is_good_at_its_own_place_alone(
    git: LocalGit, layout: Layout
) -> None:
    """An envelope that was kept, beside another file."""
    layout(git, keys(git, OLD[0], old_pub=OLD[1])).commit({PLAIN: b"{}", HEAD: b"{}"}, "before the leak")
    branch = GitBranch(git, LEDGER)
    good = branch.head()
    branch.commit({FORGED: b"{}", f"{FORGED}.sig": branch.get(f"{PLAIN}.sig")}, "the thief's")
    files = {"old_pub": OLD[1], "new_pub": NEW[1], "old_revoked": f"{LEDGER} {good}".encode()}
    assert refused(layout(git, keys(git, None, **files)), FORGED)


@pytest.mark.parametrize("line", ["main " + "a" * 40, f"{LEDGER} abc", f"{LEDGER} {'a' * 40} {'b' * 40}", "x"])
def test_a_line_that_names_no_commit_of_the_bots_is_an_error(line: str) -> None:
    with pytest.raises(UserError) as caught:
        trusted_commits(f"# why\n\n{line}\n".encode(), "policies/keys/old.revoked")
    assert str(caught.value.place) == "policies/keys/old.revoked:3"


def test_both_branches_of_the_bot_are_named_each_with_its_commit() -> None:
    text = f"{LEDGER} {'a' * 40}\n{ENVIRONMENTS} {'b' * 64} # sha-256\n".encode()
    assert trusted_commits(text, "x") == ["a" * 40, "b" * 64]
    assert trusted_commits(b"", "x") == []
