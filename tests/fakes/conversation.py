"""Port Conversation in memory: comments and statuses, with every request counted as GitHub would."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.errors import WorldError
from bot.ports import Comment
from bot.records.event import Account

BOT = Account(id=41898282, login="github-actions[bot]", kind="Bot")
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass
class FakeConversation:
    """Port Conversation, and `comments` of port PullRequests, over one list; every request is named in `asked`."""

    comments_: list[Comment] = field(default_factory=list)
    statuses_: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    dies_after_comment: bool = False
    cached: bool = False

    def me(self) -> Account:
        return BOT

    def comments(self, number: int) -> list[Comment]:
        if not self.cached:  # the adapter keeps the comments of a pull request for the run
            self.asked.append("GET comments")
            self.cached = True
        return list(self.comments_)

    def upsert_comment(self, number: int, first: str, body: str) -> str:
        mine = [one for one in self.comments(number) if one.author.id == BOT.id and one.body.startswith(first)]
        if not mine:
            self.asked.append("POST comment")
            self.comments_.append(a_comment(len(self.comments_) + 1, BOT, body))
        elif mine[0].body != body:
            self.asked.append("PATCH comment")
            self.comments_[self.comments_.index(mine[0])] = replace(mine[0], body=body)
        if self.dies_after_comment:
            raise WorldError("killed")
        return ""

    def statuses(self, sha: str) -> dict[str, tuple[str, str]]:
        self.asked.append("GET status")
        return dict(self.statuses_)

    def set_status(self, sha: str, context: str, state: str, description: str, url: str | None) -> None:
        self.asked.append(f"POST status {context}")
        self.statuses_[context] = (state, description)

    def reply(self, number: int, body: str) -> None:
        self.asked.append("POST comment")
        self.comments_.append(a_comment(len(self.comments_) + 1, BOT, body))


def a_comment(number: int, author: Account, body: str) -> Comment:
    return Comment(id=number, author=author, body=body, created_at=NOW, updated_at=NOW)
