"""One sticky comment and two statuses: written once, healed after a crash, never set back by an older run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.errors import WorldError
from bot.ports import Comment, Ports, Run
from bot.records.event import Account
from bot.records.ledger import head_path
from bot.report.markdown import comment, marker
from bot.report.step import publish
from tests.builders import HEAD, a_head
from tests.fakes.branch import FakeBranch
from tests.report.situations import all_good, worse_on_one_slice

BOT, PERSON = Account(id=41898282, login="github-actions[bot]", kind="Bot"), Account(id=7, login="vera")
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass
class Talk:
    """GitHub's comments and statuses, with every request counted."""

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


def a_comment(number: int, author: Account, body: str) -> Comment:
    return Comment(id=number, author=author, body=body, created_at=NOW, updated_at=NOW)


def ports(talk: Talk, ledger: FakeBranch | None = None, run: int = 4242, attempt: int = 1) -> Ports:
    talk.cached = False
    talk.asked.clear()
    nothing: Any = None
    return Ports(
        git=nothing,
        ledger=ledger or FakeBranch(),
        environments=nothing,
        data=nothing,
        artifacts=nothing,
        pull_requests=talk,  # type: ignore[arg-type]
        conversation=talk,  # type: ignore[arg-type]
        clock=nothing,
        run=Run(id=run, attempt=attempt, url=None, job="", workflow="", repository="acme/app", actor="", sha=""),
    )


def test_the_first_report_takes_four_requests_and_the_same_again_writes_nothing() -> None:
    talk = Talk()
    assert publish(all_good(), 7, HEAD, ports(talk)) is True
    assert len(talk.asked) == 4
    assert publish(all_good(), 7, HEAD, ports(talk)) is True
    assert talk.asked == ["GET comments", "GET status"]
    assert publish(worse_on_one_slice(), 7, HEAD, ports(talk)) is True
    assert len(talk.asked) == 4
    assert [one.body for one in talk.comments_] == [comment(worse_on_one_slice(), key="acme/app")]
    assert talk.statuses_["mlbot/verdict"][0] == "failure"


def test_a_run_killed_between_comment_and_statuses_is_healed() -> None:
    talk = Talk(dies_after_comment=True)
    with pytest.raises(WorldError):
        publish(all_good(), 7, HEAD, ports(talk))
    talk.dies_after_comment = False
    publish(all_good(), 7, HEAD, ports(talk))
    assert set(talk.statuses_) == {"mlbot/evaluation", "mlbot/verdict"}
    assert len(talk.asked) == 4


def test_comments_of_people_and_of_other_bots_are_not_touched() -> None:
    """A person quotes the marker; another bot of the same account has a marker of its own, and quotes ours."""
    ours, theirs = marker("acme/app"), marker("acme/other")
    others = [a_comment(1, PERSON, f"{ours}\nmine now"), a_comment(2, BOT, f"{theirs}\n> {ours}")]
    talk = Talk(comments_=list(others))
    publish(all_good(), 7, HEAD, ports(talk))
    assert talk.comments_[:2] == others
    assert len(talk.comments_) == 3


@pytest.mark.parametrize(
    ("run", "attempt", "written"), [(4241, 9, False), (4242, 1, False), (4242, 2, True), (4300, 1, True)]
)
def test_an_older_run_or_attempt_never_overwrites_a_newer_one(run: int, attempt: int, written: bool) -> None:
    ledger = FakeBranch()
    ledger.commit({head_path(7, HEAD): a_head(run_id=4242, run_attempt=2).canonical()}, "head")
    talk = Talk()
    assert publish(all_good(), 7, HEAD, ports(talk, ledger, run, attempt)) is written
    assert bool(talk.comments_) is written
