"""Port Tracker in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.errors import UserError
from bot.ports import Thread


@dataclass
class FakeTracker:
    """`threads` by number, `commits` by branch, `said` what was written when something was closed.

    `clock` dates what is opened. `forbidden` refuses pull requests, as a repository's settings may.
    """

    threads: dict[int, Thread] = field(default_factory=dict)
    commits: dict[str, dict[str, bytes | None]] = field(default_factory=dict)
    said: dict[int, str] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    clock: datetime = datetime(2026, 3, 4, tzinfo=UTC)
    forbidden: bool = False

    def own(self, since: datetime) -> list[Thread]:
        return [one for one in self.threads.values() if one.closed_at is None or one.closed_at >= since]

    def _open(self, title: str, body: str, is_pull_request: bool) -> Thread:
        made = Thread(len(self.threads) + 1, title, body, "open", self.clock, is_pull_request)
        self.threads[made.number] = made
        self.writes.append(f"open {made.number}")
        return made

    def open_issue(self, title: str, body: str) -> Thread:
        return self._open(title, body, False)

    def open_pull_request(
        self,
        branch: str,
        base: str,
        files: Mapping[str, bytes | None],
        message: str,
        title: str,
        body: str,
    ) -> Thread:
        if self.commits.setdefault(branch, dict(files)) != dict(files):
            raise UserError(f"the branch {branch} is there and holds something else", code="branch_taken")
        if self.forbidden:
            raise UserError("GitHub Actions is not permitted to create pull requests", code="forbidden")
        return self._open(title, body, True)

    def edit(self, number: int, title: str, body: str) -> None:
        there = self.threads[number]
        if (there.title, there.body) != (title, body):
            self.threads[number] = replace(there, title=title, body=body)
            self.writes.append(f"edit {number}")

    def close(self, number: int, comment: str) -> None:
        if self.threads[number].state == "open":
            self.threads[number] = replace(self.threads[number], state="closed", closed_at=self.clock)
            self.said[number] = comment
            self.writes.append(f"close {number}")
