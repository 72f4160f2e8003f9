"""Ports for verbs that work in a clone without GitHub; what a verb did not ask for is absent and says so when used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.errors import UserError
from bot.ports import Ports, Run

if TYPE_CHECKING:
    from bot.adapters.git import LocalGit


class Absent:
    """Stands for a port that this verb does not have."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise UserError(
            f"{self._name}.{attribute} needs GitHub, which this command does not have",
            hint="Run it in GitHub Actions, or in `mlbot sandbox`.",
            code="port_absent",
        )


def find_root(start: Path) -> Path:
    """The repository's top folder. Raises UserError outside one."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / ".git").exists():
            return folder
    raise UserError(f"{start} is not in a Git repository", hint="Run this inside a clone, or `git init` first.")


def local_ports(start: Path, git: LocalGit | None = None) -> Ports:
    """Git, data, artifacts, ledger and environments of the clone that holds `start`, as last fetched.

    `git` None opens the repository without credentials.
    """
    from bot.adapters.clock import SystemClock
    from bot.adapters.dvc import DvcArtifacts, DvcData
    from bot.adapters.git import GitBranch
    from bot.adapters.git import LocalGit as Opened
    from bot.records.ledger import ENVIRONMENTS, LEDGER, OBJECTS

    root = find_root(start)
    git = git or Opened(root)
    absent: Any = Absent
    return Ports(
        git=git,
        ledger=GitBranch(git, LEDGER, append_only=True),
        environments=GitBranch(git, ENVIRONMENTS),
        data=DvcData(root, git),
        artifacts=DvcArtifacts(root, GitBranch(git, OBJECTS, append_only=True)),
        pull_requests=absent("pull_requests"),
        conversation=absent("conversation"),
        clock=SystemClock(),
        run=Run(id=0, attempt=1, url=None, job="", workflow="", repository="", actor="", sha=""),
        workspace=root,
    )
