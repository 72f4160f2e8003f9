"""Port Branch in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.adapters.git import REWRITABLE
from bot.errors import UserError


@dataclass
class FakeBranch:
    """Files of the tip, and each commit. `append_only` refuses to change what is there. `clock` dates commits."""

    files: dict[str, bytes] = field(default_factory=dict)
    append_only: bool = False
    clock: datetime = datetime(2026, 3, 4, tzinfo=UTC)
    commits: list[tuple[str, datetime, str, tuple[str, ...]]] = field(default_factory=list)

    def head(self) -> str | None:
        return self.commits[-1][0] if self.commits else None

    def get(self, path: str) -> bytes | None:
        return self.files.get(path)

    def paths(self, prefix: str = "") -> list[str]:
        return sorted(path for path in self.files if path.startswith(prefix))

    def prefetch(self, paths: Sequence[str]) -> None:
        return None

    def commit(
        self, files: Mapping[str, bytes | None], message: str, *, expect: Mapping[str, bytes | None] | None = None
    ) -> str | None:
        if any(self.files.get(path) != data for path, data in (expect or {}).items()):
            raise UserError("somebody else was first", code="branch_moved")
        changed = {path: data for path, data in files.items() if self.files.get(path) != data}
        if self.append_only and any(path in self.files and not path.startswith(REWRITABLE) for path in changed):
            raise UserError("the ledger is only appended to", code="ledger_conflict")
        if not changed:
            return None
        for path, data in changed.items():
            if data is None:
                self.files.pop(path, None)
            else:
                self.files[path] = data
        sha = f"{len(self.commits) + 1:040x}"
        self.commits.append((sha, self.clock, message, tuple(changed)))
        return sha

    def log(self, path: str = "") -> list[tuple[str, datetime, str]]:
        hits = [one for one in self.commits if not path or any(name.startswith(path) for name in one[3])]
        return [(sha, at, message) for sha, at, message, _ in reversed(hits)]

    def written(self, prefix: str) -> dict[str, datetime]:
        return {name: at for _, at, _, names in reversed(self.commits) for name in names if name.startswith(prefix)}
