"""The second layout of the ledger says what the first said, and takes for the bot's nothing that others wrote."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.git import GitBranch, LocalGit
from bot.adapters.journal import JournalBranch, Seal
from bot.adapters.ledger_branch import LedgerBranch
from bot.adapters.signed_branch import SignedBranch
from bot.adapters.signing import KeyPair, generate
from bot.adapters.upgrade import upgrade
from bot.errors import UserError
from bot.records.ledger import LAYOUT, LEDGER, TIP, approval_path, decision_path, head_path, journal_path, removal_path
from tests.repositories import Repository

A, B = "a" * 40, "b" * 40
HEAD, OTHER = head_path(7, A), decision_path(7, "sha256:" + "1" * 64)
NOW = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def keys() -> KeyPair:
    private, public = generate()
    return KeyPair(private, {"mlbot.pub": public})


@pytest.fixture
def git(tmp_path: Path) -> LocalGit:
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", tmp_path / "origin"], check=True)
    repository = Repository(tmp_path / "clone")
    repository.git.remotes.create("origin", str(tmp_path / "origin"))
    return LocalGit(tmp_path / "clone")


def journal(git: LocalGit, keys: KeyPair | None, repository: str = "first") -> JournalBranch:
    return JournalBranch(GitBranch(git, LEDGER), Seal(keys, LEDGER, repository), lambda: NOW)


def stranger(git: LocalGit, files: dict[str, bytes | None]) -> None:
    GitBranch(git, LEDGER).commit(files, "somebody else")


@pytest.mark.parametrize("is_signed", [True, False])
def test_a_pull_request_is_one_file_that_only_grows(git: LocalGit, keys: KeyPair, is_signed: bool) -> None:
    branch, raw = journal(git, keys if is_signed else None), GitBranch(git, LEDGER)
    branch.commit({HEAD: b"{}", OTHER: b'{"a":1}'}, "first")
    before = raw.get(journal_path(7))
    assert before is not None
    branch.commit({HEAD: b'{"again":1}', approval_path(8, "c1"): b"{}", removal_path(A): b"{}"}, "second")
    after = raw.get(journal_path(7))
    assert after is not None
    assert after.startswith(before) and after.count(b"\n") == 2
    assert branch.get(HEAD) == b'{"again":1}' and branch.get(OTHER) == b'{"a":1}'
    assert branch.paths("heads/") == branch.paths("heads/7/") == [HEAD]
    assert branch.paths() == sorted([HEAD, OTHER, approval_path(8, "c1"), removal_path(A)])
    assert [message for _, _, message in branch.log(HEAD)] == ["second", "first"]
    assert branch.written("removals/") == {removal_path(A): NOW}
    assert set(raw.paths("pulls/")) == {"pulls/0/7.jsonl", "pulls/0/8.jsonl"}
    assert branch.commit({HEAD: b'{"again":1}'}, "the same") is None
    with pytest.raises(UserError, match="is there already and differs"):
        branch.commit({OTHER: b"{}"}, "another")


def test_an_older_file_put_back_is_not_read_and_the_bot_s_next_commit_undoes_it(git: LocalGit, keys: KeyPair) -> None:
    branch, raw = journal(git, keys), GitBranch(git, LEDGER)
    branch.commit({HEAD: b"{}", approval_path(8, "c1"): b"{}"}, "first")
    older = raw.get(journal_path(7))
    branch.commit({HEAD: b'{"again":1}'}, "second")
    stranger(git, {journal_path(7): older, removal_path(B): b"{}"})
    with pytest.raises(UserError, match=r"pulls/0/7\.jsonl was changed by somebody else"):
        branch.get(HEAD)
    assert branch.get(approval_path(8, "c1")) == b"{}"  # what cannot be read concerns its own record alone
    branch.commit({approval_path(8, "c2"): b"{}"}, "third")
    assert branch.get(HEAD) == b'{"again":1}' and branch.get(removal_path(B)) is None


def test_a_deleted_file_is_missed(git: LocalGit, keys: KeyPair) -> None:
    branch = journal(git, keys)
    branch.commit({removal_path(A): b"{}"}, "first")
    stranger(git, {removal_path(A): None})
    assert branch.paths("removals/") == [removal_path(A)]
    with pytest.raises(UserError, match="was changed by somebody else"):
        branch.get(removal_path(A))


def test_a_file_of_another_repository_with_the_same_key_is_refused(git: LocalGit, keys: KeyPair) -> None:
    journal(git, keys, "second").commit({HEAD: b"{}", removal_path(A): b"{}"}, "elsewhere")
    with pytest.raises(UserError, match="no commit of mlbot/ledger is the bot's"):
        journal(git, keys).get(HEAD)


@pytest.mark.parametrize("harm", ["text", "order", "number"])
def test_a_line_that_was_changed_moved_or_taken_from_another_pull_request_is_refused(
    git: LocalGit, keys: KeyPair, harm: str
) -> None:
    branch, raw = journal(git, keys), GitBranch(git, LEDGER)
    branch.commit({HEAD: b'{"a":1}'}, "first")
    branch.commit({OTHER: b"{}"}, "second")
    lines = (raw.get(journal_path(7)) or b"").splitlines(keepends=True)
    spoiled = {"text": b"".join(lines).replace(b'a\\":1', b'a\\":2'), "order": lines[1] + lines[0], "number": lines[0]}
    number = 8 if harm == "number" else 7
    from bot.adapters.journal import events_of

    with pytest.raises(UserError) as caught:
        events_of(spoiled[harm], number, Seal(keys, LEDGER, "first"))
    assert caught.value.code == "signature_invalid"


@pytest.mark.parametrize("is_signed", [True, False])
def test_an_upgrade_keeps_every_fact_with_its_times_and_leaves_out_what_is_not_the_bot_s(
    git: LocalGit, keys: KeyPair, is_signed: bool
) -> None:
    raw = GitBranch(git, LEDGER)
    old = SignedBranch(raw, LEDGER, keys) if is_signed else None
    branch = old or raw
    branch.commit({HEAD: b"{}", OTHER: b'{"a":1}', removal_path(A): b"{}"}, "first")
    branch.commit({HEAD: b'{"again":1}'}, "second")
    facts = {path: branch.get(path) for path in (HEAD, OTHER, removal_path(A))}
    times = {path: [(at, text) for _, at, text in branch.log(path)] for path in (HEAD, OTHER)}
    if is_signed:
        stranger(git, {approval_path(7, "c9"): b"{}"})
    seal = Seal(keys if is_signed else None, LEDGER, "first")
    _, left_out = upgrade(raw, old, seal, {})
    assert left_out == ([approval_path(7, "c9")] if is_signed else [])
    new = JournalBranch(raw, seal, lambda: NOW)
    assert {path: new.get(path) for path in facts} == facts
    assert {path: [(at, text) for _, at, text in new.log(path)] for path in times} == times
    assert new.paths() == sorted(facts)
    assert new.written("removals/") == {removal_path(A): times[OTHER][0][0]}


def test_a_ledger_is_read_in_the_layout_that_it_has_and_a_newer_one_is_refused(git: LocalGit, keys: KeyPair) -> None:
    branch, raw = LedgerBranch(git, keys, "main", lambda: NOW), GitBranch(git, LEDGER)
    assert branch.layout() == 1
    branch.commit({HEAD: b"{}"}, "first")
    assert raw.paths() == [HEAD, f"{HEAD}.sig"]
    stranger(git, {LAYOUT: b'{"layout":3}'})
    with pytest.raises(UserError, match="has layout 3, and this version of mlbot knows layouts up to 2") as caught:
        branch.get(HEAD)
    assert caught.value.code == "ledger_newer"
    assert TIP not in raw.paths()
