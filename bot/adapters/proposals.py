"""The environments branch written by pull requests: nothing is live before somebody merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from bot.adapters.git import GitBranch
from bot.adapters.git_refusals import push_error
from bot.adapters.github import GitHub, _clear
from bot.adapters.github_refusals import error_of
from bot.errors import UserError
from bot.records.ledger import proposal_branch

BODY = (
    "The policy approved this promotion; merging makes it live. Tags, GitHub Deployment and ledger follow with the "
    "next `reconcile`, which can be started by hand.\n\n```text\n{message}\n```"
)


@dataclass(frozen=True)
class Proposal:
    """A pull request from the branch of a proposal. `is_declined`: somebody closed it and did not merge it."""

    number: int
    title: str
    body: str
    is_open: bool
    is_declined: bool


class Desk(Protocol):
    """Where proposals are laid before people."""

    def proposals(self, branch: str, base: str) -> list[Proposal]:
        """Every pull request from `branch` into `base`, newest first, of the newest hundred."""

    def put(self, branch: str, base: str, title: str, body: str, number: int | None) -> None:
        """Change the words of pull request `number`; open one when it is None. Raises UserError (code `forbidden`)."""


class ProposedBranch:
    """Port Branch: reads `branch`; a commit goes to a branch of its own, with a pull request into it.

    A later proposal for the same model and environment takes the place of an open one. What somebody declined is not
    proposed again until it is asked for anew, which the message shows (its trailer `Trigger:`).
    """

    def __init__(self, branch: GitBranch, desk: Desk) -> None:
        self._branch, self._desk = branch, desk

    def head(self) -> str | None:
        """See the port."""
        return self._branch.head()

    def get(self, path: str) -> bytes | None:
        """See the port."""
        return self._branch.get(path)

    def paths(self, prefix: str = "") -> list[str]:
        """See the port."""
        return self._branch.paths(prefix)

    def prefetch(self, paths: Sequence[str]) -> None:
        """See the port."""
        self._branch.prefetch(paths)

    def log(self, path: str = "") -> list[tuple[str, datetime, str]]:
        """See the port."""
        return self._branch.log(path)

    def written(self, prefix: str) -> dict[str, datetime]:
        """See the port."""
        return self._branch.written(prefix)

    def commit(
        self, files: Mapping[str, bytes | None], message: str, *, expect: Mapping[str, bytes | None] | None = None
    ) -> str | None:
        """The proposed commit; the branch itself stays as it is. The same proposal on the same tip is one.

        Raises UserError (code `proposal_declined`) when somebody closed this very proposal.
        """
        for path, data in (expect or {}).items():
            if self.get(path) != data:
                raise UserError(f"{path} was changed by somebody else meanwhile", code="branch_moved")
        tip = self.head() or self._branch.commit({".gitattributes": b"* -text\n"}, "Begin the environments branch")
        new = self._branch._write(tip, files, message)
        where = next((path for path in files if path.endswith("/release.json")), None)
        if new is None or where is None:
            return None
        environment, _, rest = where.partition("/")
        name, base = proposal_branch(environment, rest.removesuffix("/release.json")), self._branch.name
        title, body = message.splitlines()[0], BODY.format(message=message.strip().replace("```", "'''"))
        known = self._desk.proposals(name, base)
        there = next((one for one in known if one.is_open), None)
        if there is None:
            _refuse_declined(known, title, body)
        proposed = GitBranch(self._branch.git, name)
        proposed.refresh()
        if not self._is_there(proposed, tip, message):
            self._push(proposed, new)
        if there is None or (there.title, there.body) != (title, body):
            self._desk.put(name, base, title, body, there.number if there else None)
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
            raise push_error(f"branch {proposed.name}", done.stderr)
        git.repository.references.create(proposed.ref, new, force=True)


def _refuse_declined(known: list[Proposal], title: str, body: str) -> None:
    for one in known:
        if one.is_declined and (one.title, one.body) == (title, body):
            hint = "Ask for it with `/promote` when it is wanted after all."
            raise UserError(f"#{one.number} proposed it and was closed", hint=hint, code="proposal_declined")


class GitHubDesk:
    """Desk on a repository of GitHub."""

    def __init__(self, github: GitHub) -> None:
        self._github, self._url = github, f"{github._url}/pulls"

    @_clear
    def proposals(self, branch: str, base: str) -> list[Proposal]:
        """See the protocol."""
        owner = self._url.split("/")[2]
        query = f"state=all&head={quote(f'{owner}:{branch}')}&base={quote(base)}&per_page=100"
        return [_proposal(one) for one in self._github._ask("GET", f"{self._url}?{query}")]

    @_clear
    def put(self, branch: str, base: str, title: str, body: str, number: int | None) -> None:
        """See the protocol."""
        from github import GithubException

        said = {"title": title, "body": body}
        if number is not None:
            self._github._ask("PATCH", f"{self._url}/{number}", said)
            return
        try:
            self._github._ask("POST", self._url, {**said, "head": branch, "base": base})
        except GithubException as error:
            if error_of(error).code != "forbidden":
                raise
            hint = f"Settings, Actions, General: let GitHub Actions create pull requests; or open one from {branch}."
            raise UserError("GitHub lets the bot open no pull request", hint=hint, code="forbidden") from None


def _proposal(one: Mapping[str, Any]) -> Proposal:
    is_open = one["state"] == "open"
    body = (one["body"] or "").replace("\r\n", "\n")
    return Proposal(one["number"], one["title"], body, is_open, not is_open and not one["merged_at"])
