"""One object of the answer: what the sandbox remembers, under the name that GitHub's schema has for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.sandbox.store import Repository


@dataclass(frozen=True)
class Thing:
    """`kind` is a type of the schema; `home` the repository that it belongs to, None for accounts."""

    kind: str
    value: Any
    home: Repository | None = None

    @property
    def key(self) -> str:
        """What tells it from others of its kind."""
        value = self.value[-1] if isinstance(self.value, tuple) else self.value
        return str(getattr(value, "id", value))

    @property
    def repo(self) -> Repository:
        """The repository that it belongs to."""
        assert self.home is not None
        return self.home
