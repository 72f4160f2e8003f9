"""What an administrator switches on and off in a repository, with the values that a new one has; who waits to merge."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot.sandbox.people import Login

MERGE_METHODS = {"merge": "allow_merge_commit", "squash": "allow_squash_merge", "rebase": "allow_rebase_merge"}


@dataclass
class ActionsSwitches:
    """GitHub Actions: `allowed` is all, local_only or selected; then GitHub's own and `patterns` may be used."""

    enabled: bool = True
    allowed: str = "all"
    github_owned: bool = True
    verified: bool = False
    patterns: list[str] = field(default_factory=list)


@dataclass
class Switches:
    """Fields of `PATCH /repos/{owner}/{repo}` by their own names, and what the Actions settings say."""

    allow_merge_commit: bool = True
    allow_squash_merge: bool = True
    allow_rebase_merge: bool = True
    allow_auto_merge: bool = False
    allow_update_branch: bool = False
    delete_branch_on_merge: bool = False
    has_issues: bool = True
    archived: bool = False
    actions: ActionsSwitches = field(default_factory=ActionsSwitches)

    def allows(self, method: str) -> bool:
        """Whether pull requests may be merged by merge, squash or rebase."""
        return bool(getattr(self, MERGE_METHODS[method]))


@dataclass
class QueueEntry:
    """A pull request in the merge queue. `sha` and `ref` are its group's, empty until the group is built."""

    id: int
    number: int
    enqueuer: Login
    at: datetime
    base: str
    base_sha: str = ""
    sha: str = ""
    ref: str = ""
