"""What git and a server say, and what people read of it: the rule that was broken, never a number by chance."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot.adapters.git import GitBranch, LocalGit
from bot.adapters.git_refusals import fetch_error, lost_race, push_error
from bot.errors import UserError
from tests.adapters.test_git import clone, git

__all__ = ["clone"]

END = "error: failed to push some refs to 'https://github.com/acme/area404-models'\n"
RULES = """remote: error: GH013: Repository rule violations found for refs/heads/mlbot/ledger.
remote: Review all repository rules at https://github.com/acme/models/rules?ref=refs%2Fheads%2Fmlbot%2Fledger
remote:
remote: - Changes must be made through a pull request.
remote:
To https://github.com/acme/models
 ! [remote rejected] ab401e -> mlbot/ledger (push declined due to repository rule violations)
"""
PROTECTED = """remote: error: GH006: Protected branch update failed for refs/heads/mlbot/ledger.
remote: error: Required status check "lint" is expected.
To https://github.com/acme/models
 ! [remote rejected] ab40355a -> mlbot/ledger (protected branch hook declined)
"""
BROKEN = " ! [remote rejected] {} -> mlbot/ledger (Internal Server Error)\n"
IN_THE_WAY = "cannot lock ref '{0}/mlbot/ledger': '{0}/mlbot' exists; cannot create '{0}/mlbot/ledger'"
UNABLE = "fatal: unable to access 'https://github.com/acme/area403-models/': "


@pytest.mark.parametrize(
    ("stderr", "code", "exit_code", "words"),
    [
        (RULES, "push_refused", 1, "GH013: Repository rule violations found for refs/heads/mlbot/ledger. Changes must"),
        (PROTECTED, "push_refused", 1, 'GH006: Protected branch update failed for refs/heads/mlbot/ledger. Required'),
        (" ! [remote rejected] a -> mlbot/ledger (pre-receive hook declined)\n", "push_refused", 1, "hook declined"),
        *((BROKEN.format(f"ab{n}5a" + "b" * 32), "", 2, "Internal Server Error") for n in ("aaa", "401", "403", "404")),
        (UNABLE + "The requested URL returned error: 403\n", "forbidden", 1, "(403)"),
        ("remote: Permission to acme/models.git denied to dana.\n" + UNABLE, "forbidden", 1, "denied to dana"),
        ("remote: Write access to repository not granted.\n" + UNABLE, "forbidden", 1, "not granted"),
        ("fatal: could not read Username for 'https://github.com': no terminal", "token_refused", 1, "(401)"),
        ("remote: Repository not found.\nfatal: repository 'https://x/' not found", "not_found", 1, "(404)"),
        (f" ! [remote rejected] a -> b ({IN_THE_WAY.format('refs/heads')})\n", "name_taken", 1, "called mlbot"),
    ],
)  # fmt: skip
def test_a_push_that_fails_says_why_in_the_servers_words(stderr: str, code: str, exit_code: int, words: str) -> None:
    error = push_error("branch mlbot/ledger", stderr + END)
    assert (error.code, error.exit_code) == (code, exit_code)
    assert words in error.message and "failed to push some refs" not in error.message
    assert "Review all" not in error.message and "area40" not in error.message


@pytest.mark.parametrize(
    ("stderr", "code", "exit_code"),
    [
        (UNABLE + "Could not resolve host: github.com\n", "", 2),
        (UNABLE + "The requested URL returned error: 502\n", "", 2),
        (UNABLE + "The requested URL returned error: 404\n", "not_found", 1),
        ("fatal: Authentication failed for 'https://github.com/acme/area404-models/'\n", "token_refused", 1),
        ("fatal: couldn't find remote ref refs/heads/topic-403\n", "ref_missing", 1),
        ("fatal: remote error: upload-pack: not our ref 40340340\n", "ref_missing", 1),
        ("error: cannot lock ref 'refs/x': Unable to create '/c/.git/refs/x.lock': File exists.\n", "", 2),
        (f"error: {IN_THE_WAY.format('refs/remotes/origin')}\n", "name_taken", 1),
    ],
)
def test_a_fetch_that_fails_is_sorted_by_who_can_act(stderr: str, code: str, exit_code: int) -> None:
    error = fetch_error(stderr)
    assert (error.code, error.exit_code) == (code, exit_code)


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        (" ! [rejected]        a -> mlbot/ledger (stale info)\n", True),
        (" ! [rejected]        a -> mlbot/ledger (fetch first)\n", True),
        (" ! [remote rejected] a -> b (cannot lock ref 'refs/heads/b': is at 1 but expected 2)\n", True),
        (" ! [remote rejected] a -> b (failed to update ref)\n", True),
        (f" ! [remote rejected] a -> mlbot/ledger ({IN_THE_WAY.format('refs/heads')})\n", False),
        (RULES, False),
        (BROKEN.format("a"), False),
        ("fatal: unable to access 'https://x/[rejected]': no route\n", False),
    ],
)
def test_only_a_branch_that_moved_is_a_race(stderr: str, expected: bool) -> None:
    assert lost_race(stderr + END) is expected


def refuse(origin: Path, lines: str) -> None:
    """Every push is refused with these words of the server."""
    hook = origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{lines}\nEND\nexit 1\n")
    hook.chmod(0o755)


def test_a_rule_that_keeps_the_bot_off_its_branch_is_named_by_a_real_git(clone: Path) -> None:
    refuse(
        clone.parent / "origin.git",
        "error: GH013: Repository rule violations found for refs/heads/mlbot/ledger.\n\n- Cannot create ref",
    )
    with pytest.raises(UserError) as caught:
        GitBranch(LocalGit(clone), "mlbot/ledger").commit({"a": b"1"}, "x")
    assert "GH013" in caught.value.message and "Cannot create ref" in caught.value.message
    assert caught.value.code == "push_refused" and "rule of the repository" in (caught.value.hint or "")


def test_a_branch_that_is_called_like_the_folder_of_ours_is_named(clone: Path) -> None:
    git(clone, "push", "-q", "origin", "main:refs/heads/mlbot")
    with pytest.raises(UserError, match="a branch called mlbot is in the way") as caught:
        GitBranch(LocalGit(clone), "mlbot/ledger").commit({"a": b"1"}, "x")
    assert "Rename the branch" in (caught.value.hint or "")


def test_a_clone_that_remembers_such_a_branch_says_what_to_do(clone: Path) -> None:
    git(clone, "push", "-q", "origin", "main:refs/heads/mlbot/ledger")
    git(clone, "update-ref", "-d", "refs/remotes/origin/mlbot/ledger")
    git(clone, "update-ref", "refs/remotes/origin/mlbot", "main")
    with pytest.raises(UserError, match="remembers a branch mlbot") as caught:
        GitBranch(LocalGit(clone), "mlbot/ledger").refresh()
    assert "git remote prune origin" in (caught.value.hint or "")


def test_a_tag_that_moved_on_origin_keeps_nothing_else_from_being_fetched(clone: Path) -> None:
    git(clone, "tag", "nightly")
    git(clone, "push", "-q", "origin", "nightly")
    mine = git(clone, "rev-parse", "nightly")
    git(clone, "commit", "-q", "--allow-empty", "-m", "two")
    git(clone, "push", "-q", "origin", "HEAD:main", "+HEAD:refs/tags/nightly", "HEAD:refs/tags/new")
    git(clone, "tag", "-d", "new") if git(clone, "tag", "-l", "new") else None
    LocalGit(clone).fetch("+refs/heads/main:refs/remotes/origin/main", "refs/tags/*:refs/tags/*")
    assert git(clone, "rev-parse", "nightly") == mine, "a tag of this clone is nobody else's to move"
    assert git(clone, "rev-parse", "new") == git(clone, "rev-parse", "HEAD")


def test_a_branch_that_cannot_be_read_is_not_taken_for_one_that_does_not_exist(clone: Path) -> None:
    branch = GitBranch(LocalGit(clone), "mlbot/ledger")
    branch.commit({"a": b"1"}, "x")
    git(clone, "remote", "set-url", "origin", str(clone.parent / "gone.git"))
    with pytest.raises(UserError) as caught:
        branch.refresh()
    assert caught.value.code == "not_found" and branch.get("a") == b"1"


def test_a_machine_that_speaks_another_language_changes_nothing(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANG", "LC_ALL", "LANGUAGE"):
        monkeypatch.setenv(name, "de_DE.UTF-8")
    asked = LocalGit(clone).run("-c", "alias.env=!env", "env").stdout.splitlines()
    assert "LC_ALL=C" in asked and subprocess.run(["git", "--version"], check=True).returncode == 0
