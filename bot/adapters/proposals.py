"""The environments branch written by pull requests: nothing is live before somebody merges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from bot.adapters.git import GitBranch
from bot.errors import UserError, WorldError
from bot.records.ledger import proposal_branch

if TYPE_CHECKING:
    from bot.adapters.github import GitHub

Open = Callable[[str, str, str, str], None]  # branch, base, title, body: opens a pull request unless one is open
BODY = (
    "The policy approved this promotion; merging makes it live. Tags, GitHub Deployment and ledger follow with the "
    "next `reconcile`, which can be started by hand.\n\n```text\n{message}\n```"
)


class ProposedBranch:
    """Port Branch: reads `branch`; a commit goes to a branch of its own, with a pull request into it.

    A later proposal for the same model and environment takes the place of an open one.
    """

    def __init__(self, branch: GitBranch, open_: Open) -> None:
        self._branch, self._open = branch, open_

    def head(self) -> str | None:
        """See the port."""
        return self._branch.head()

    def get(self, path: str) -> bytes | None:
        """See the port."""
        return self._branch.get(path)

    def paths(self, prefix: str = "") -> list[str]:
        """See the port."""
        return self._branch.paths(prefix)

    def log(self, path: str = "") -> list[tuple[str, datetime, str]]:
        """See the port."""
        return self._branch.log(path)

    def commit(
        self, files: Mapping[str, bytes | None], message: str, *, expect: Mapping[str, bytes | None] | None = None
    ) -> str | None:
        """The proposed commit; the branch itself stays as it is. The same proposal on the same tip is one."""
        for path, data in (expect or {}).items():
            if self.get(path) != data:
                raise UserError(f"{path} was changed by somebody else meanwhile", code="branch_moved")
        tip = self.head() or self._branch.commit({".gitattributes": b"* -text\n"}, "Begin the environments branch")
        new = self._branch._write(tip, files, message)
        where = next((path for path in files if path.endswith("/release.json")), None)
        if new is None or where is None:
            return None
        environment, _, rest = where.partition("/")
        name = proposal_branch(environment, rest.removesuffix("/release.json"))
        proposed = GitBranch(self._branch.git, name)
        proposed.refresh()
        if not self._is_there(proposed, tip, message):
            self._push(proposed, new)
        title = message.splitlines()[0]
        self._open(name, self._branch.name, title, BODY.format(message=message.strip().replace("```", "'''")))
        return new

    def _is_there(self, proposed: GitBranch, tip: str | None, message: str) -> bool:
        head = proposed.head()
        if head is None:
            return False
        found = self._branch.git.repository[head]
        return [str(one) for one in found.parent_ids] == [tip] and found.message.strip() == message.strip()

    def _push(self, proposed: GitBranch, new: str) -> None:
        git, lease = self._branch.git, f"--force-with-lease=refs/heads/{proposed.name}:{proposed.head() or ''}"
        done = git.run("push", "--quiet", lease, "origin", f"{new}:refs/heads/{proposed.name}")
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise WorldError(f"cannot push {proposed.name}: {last}", hint="Run this again.")
        git.repository.references.create(proposed.ref, new, force=True)


def opener(github: GitHub, repository: str) -> Open:
    """Opens pull requests on GitHub, each once. Raises UserError when the repository's settings forbid it."""

    def open_(branch: str, base: str, title: str, body: str) -> None:
        owner = repository.split("/")[0]
        query = f"state=open&head={quote(f'{owner}:{branch}')}&base={quote(base)}"
        found = github._ask("GET", f"/repos/{repository}/pulls?{query}")
        said = {"title": title, "body": body}
        if not found:
            github._ask("POST", f"/repos/{repository}/pulls", {**said, "head": branch, "base": base})
        elif (found[0]["title"], found[0]["body"]) != (title, body):
            github._ask("PATCH", f"/repos/{repository}/pulls/{found[0]['number']}", said)

    return open_
