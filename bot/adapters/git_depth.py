"""Fetching what a job needs of a repository: its checkout holds one commit, and the history of releases is long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.adapters.git_refusals import fetch_error
from bot.errors import UserError
from bot.records.ledger import BOT_BRANCHES

if TYPE_CHECKING:
    from bot.adapters.git import LocalGit

# Commits and folders come at once, the content of files when it is read: https://git-scm.com/docs/partial-clone
FILTER = "--filter=blob:none"
FETCH = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")


def fetch_for_job(git: LocalGit, default_branch: str, *more: str) -> None:
    """What every job needs: the default branch's history, the tips of the bot's branches, and `more` references.

    A checkout that is whole stays so. Into one that holds a single commit come commits and folders of the default
    branch, since where two commits part hangs on them, and of the bot's branches no history. Raises as a fetch does.
    """
    bots = f"+refs/heads/{BOT_BRANCHES}:refs/remotes/origin/{BOT_BRANCHES}"
    if not git.repository.is_shallow:
        git.fetch(bots, *more)
        return
    _fetch(git, "--unshallow", FILTER, _tracked(default_branch))
    if git.run("ls-remote", "origin", f"refs/heads/{BOT_BRANCHES}").stdout:  # else git fails, and says nothing
        _fetch(git, "--depth=1", FILTER, bots)
    if more:
        git.fetch(*more)


def deepen(git: LocalGit, name: str) -> None:
    """Fetch the history of a branch of the bot where this clone is shallow; without the content of files."""
    if not git.repository.is_shallow or name in git.whole:
        return
    if f"refs/remotes/origin/{name}" in git.repository.references:
        _fetch(git, "--unshallow", FILTER, _tracked(name))
    git.whole.add(name)


def _tracked(name: str) -> str:
    return f"+refs/heads/{name}:refs/remotes/origin/{name}"


def _fetch(git: LocalGit, *arguments: str) -> None:
    done = git.run(*FETCH, *arguments[:-1], "origin", arguments[-1])
    if done.returncode:
        raise fetch_error(done.stderr)
    git.reopen()


def unknown_past(what: str) -> UserError:
    """The error of a question whose answer lies beyond the boundary of a shallow clone (code `shallow`)."""
    hint = "This clone is shallow: `git fetch --unshallow` brings the rest."
    return UserError(f"{what} is not in this clone", hint=hint, code="shallow")
