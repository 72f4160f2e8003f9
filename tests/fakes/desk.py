"""Pull requests into the environments branch, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.adapters.proposals import Proposal


@dataclass
class FakeDesk:
    """Desk in memory; `put_on` keeps the numbers in order of writing."""

    there: list[Proposal] = field(default_factory=list)
    where: set[tuple[str, str]] = field(default_factory=set)
    put_on: list[int] = field(default_factory=list)

    def proposals(self, branch: str, base: str) -> list[Proposal]:
        return self.there[::-1]

    def put(self, branch: str, base: str, title: str, body: str, number: int | None) -> None:
        made = Proposal(number or len(self.there) + 1, title, body, True, False)
        self.there = [one for one in self.there if one.number != made.number] + [made]
        self.where.add((branch, base))
        self.put_on.append(made.number)

    def close(self) -> None:
        """Somebody closes the newest."""
        self.there[-1] = replace(self.there[-1], is_open=False, is_declined=True)
