"""Port Witness from what a test says that GitHub remembers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.ports import Commit
from bot.records.facts import Check


@dataclass
class FakeWitness:
    """`pushes` by (repository, branch, sha): accounts, the last first. None is not told. `requests`: the questions."""

    pushes: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    reported: dict[str, list[Check]] | None = field(default_factory=dict)
    touched: dict[str, list[Commit]] | None = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def pushers(self, repository: str, branch: str, sha: str) -> list[int] | None:
        self.requests.append(f"pushers {repository} {branch}")
        return self.pushes.get((repository, branch, sha))

    def checks(self, sha: str, names: Sequence[str]) -> list[Check] | None:
        self.requests.append(f"checks {' '.join(names)}")
        return None if self.reported is None else [one for one in self.reported.get(sha, []) if one.name in names]

    def history(self, path: str, since: datetime) -> list[Commit] | None:
        self.requests.append(f"history {path}")
        if self.touched is None:
            return None
        return [one for one in self.touched.get(path, []) if one.committed_at is None or one.committed_at >= since]
