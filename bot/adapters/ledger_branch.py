"""The ledger's branch in whichever layout it has, told at every tip anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from bot.adapters.git import GitBranch, LocalGit
from bot.adapters.git_depth import unknown_past
from bot.adapters.journal import NEWEST, JournalBranch, Seal
from bot.adapters.signed_branch import SignedBranch
from bot.errors import UserError
from bot.ports import Branch, Signer
from bot.records.ledger import LAYOUT, LEDGER, TIP


def repository_id(git: LocalGit, default_branch: str) -> str:
    """The first commit of the default branch: what a copy of the ledger in another repository does not have.

    Raises UserError (code `shallow`) where this clone does not reach back so far.
    """
    for rev in (f"refs/remotes/origin/{default_branch}", "HEAD"):
        found = git.run("rev-list", "--first-parent", "--max-parents=0", rev).stdout.split()
        if found:
            break
    else:
        raise UserError(
            f"{default_branch} has no commit here", hint="Fetch it: `git fetch origin`.", code="ref_missing"
        )
    shallow = git.path / ".git" / "shallow"
    if shallow.is_file() and found[-1] in shallow.read_text(encoding="ascii").split():
        raise unknown_past(f"where {default_branch} began")
    return found[-1]


class LedgerBranch:
    """The port Branch. Raises UserError (code `ledger_newer`) for a layout that this version does not know."""

    def __init__(self, git: LocalGit, signer: Signer | None, default_branch: str, now: Callable[[], datetime]) -> None:
        self._git, self._signer, self._default, self._now = git, signer, default_branch, now
        self._first = GitBranch(git, LEDGER, append_only=True)
        self._signed: Branch = SignedBranch(self._first, LEDGER, signer) if signer is not None else self._first
        self._journal: JournalBranch | None = None
        self._seen: tuple[str | None, Branch] | None = None

    def refresh(self) -> None:
        """Fetch the tip."""
        self._first.refresh()

    def layout(self) -> int:
        """Which layout the ledger has at its tip. Raises UserError (code `ledger_newer`) for one that is not known."""
        data = self._first.get(LAYOUT)
        if data is None:
            return NEWEST if self._first.get(TIP) is not None else 1
        try:
            layout = json.loads(data)["layout"]
        except (ValueError, KeyError, TypeError):
            layout = "?"
        if layout != NEWEST:
            said = f"{LEDGER} has layout {layout}, and this version of mlbot knows layouts up to {NEWEST}"
            raise UserError(
                said, hint="Use the version of mlbot that the repository's uv.lock names.", code="ledger_newer"
            )
        return NEWEST

    def journal(self) -> JournalBranch:
        """The branch read in the second layout, whichever it has."""
        if self._journal is None:
            seal = Seal(self._signer, LEDGER, repository_id(self._git, self._default))
            self._journal = JournalBranch(GitBranch(self._git, LEDGER), seal, self._now)
        return self._journal

    def _branch(self) -> Branch:
        head = self._first.head()
        if self._seen is None or self._seen[0] != head:
            self._seen = head, self._signed if self.layout() == 1 else self.journal()
        return self._seen[1]

    def head(self) -> str | None:
        """See the port."""
        return self._first.head()

    def get(self, path: str) -> bytes | None:
        """See the port."""
        return self._branch().get(path)

    def paths(self, prefix: str = "") -> list[str]:
        """See the port."""
        return self._branch().paths(prefix)

    def prefetch(self, paths: Sequence[str]) -> None:
        """See the port."""
        self._branch().prefetch(paths)

    def log(self, path: str = "") -> list[tuple[str, datetime, str]]:
        """See the port."""
        return self._branch().log(path)

    def written(self, prefix: str) -> dict[str, datetime]:
        """See the port."""
        return self._branch().written(prefix)

    def commit(
        self, files: Mapping[str, bytes | None], message: str, *, expect: Mapping[str, bytes | None] | None = None
    ) -> str | None:
        """See the port. A ledger that moved to the next layout meanwhile is written in that."""
        try:
            return self._branch().commit(files, message, expect=expect)
        finally:
            self._seen = None

    def unsigned(self, prefix: str = "") -> list[str]:
        """Paths of files that are not as the bot wrote them."""
        branch = self._branch()
        return branch.unsigned(prefix) if isinstance(branch, SignedBranch | JournalBranch) else []
