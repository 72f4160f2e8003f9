"""Port Conversation in memory: comments and statuses, with every request counted as GitHub would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.errors import UserError
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
    refusals: dict[str, BaseException] = field(default_factory=dict)  # by kind of writing, or `status CONTEXT`
    cached: bool = False
    reactions: list[tuple[int, str]] = field(default_factory=list)
    deployments: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    workflows: frozenset[str] = frozenset()
    dispatched: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    heads: dict[int, str] = field(default_factory=dict)
    merged: list[int] = field(default_factory=list)
    queues: bool = False

    def me(self) -> Account:
        return BOT

    def comments(self, number: int) -> list[Comment]:
        if not self.cached:  # the adapter keeps the comments of a pull request for the run
            self.asked.append("GET comments")
            self.cached = True
        return list(self.comments_)

    def own(self, number: int, marker: str) -> list[Comment]:
        return [one for one in self.comments(number) if one.author.id == BOT.id and one.body.startswith(marker)]

    def upsert_comment(self, number: int, first: str, body: str) -> str:
        mine = self.own(number, first)
        for extra in mine[1:]:
            self._write("comment", "DELETE")
            self.comments_.remove(extra)
        if not mine:
            self._write("comment")
            self.comments_.append(a_comment(len(self.comments_) + 1, BOT, body))
        elif mine[0].body != body:
            self._write("comment", "PATCH")
            self.comments_[self.comments_.index(mine[0])] = replace(mine[0], body=body)
        return ""

    def _write(self, what: str, verb: str = "POST") -> None:
        self.asked.append(f"{verb} {what}")
        if what in self.refusals:
            raise self.refusals[what]

    def statuses(self, sha: str) -> dict[str, tuple[str, str]]:
        self.asked.append("GET status")
        return dict(self.statuses_)

    def set_status(self, sha: str, context: str, state: str, description: str, url: str | None) -> None:
        self._write(f"status {context}")
        self.statuses_[context] = (state, description[:140])

    def reply(self, number: int, body: str) -> None:
        self._write("comment")
        self.comments_.append(a_comment(len(self.comments_) + 1, BOT, body))

    def react(self, comment_id: int, content: str) -> None:
        if comment_id not in {one.id for one in self.comments_}:
            raise UserError("there is no such comment", code="not_found")
        self._write("reaction")
        self.reactions.append((comment_id, content))

    def deployment(self, sha: str, environment: str, payload: Mapping[str, Any], state: str, description: str) -> None:
        self._write("deployment")
        if (sha, environment, dict(payload)) not in self.deployments:
            self.deployments.append((sha, environment, dict(payload)))

    def dispatch(self, workflow: str, inputs: Mapping[str, str]) -> None:
        if workflow not in self.workflows:
            raise UserError(f"there is no workflow {workflow}", code="not_found")
        self._write("dispatch")
        self.dispatched.append((workflow, dict(inputs)))

    def merge(self, number: int, head_sha: str) -> str | None:
        if self.heads.get(number) != head_sha:
            raise UserError("the head moved", code="refused")
        self._write("merge")
        self.merged.append(number)
        return None if self.queues else "f" * 40


def a_comment(number: int, author: Account, body: str) -> Comment:
    return Comment(id=number, author=author, body=body, created_at=NOW, updated_at=NOW)
