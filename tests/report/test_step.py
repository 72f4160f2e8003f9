"""One sticky comment and two statuses: written once, healed after a crash, never set back by an older run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.github import GitHub
from bot.errors import UserError
from bot.ports import Ports, Run
from bot.records.event import Account
from bot.records.ledger import head_path
from bot.records.report import Report
from bot.report.markdown import MARKER, comment
from bot.report.step import publish
from bot.sandbox.world import Sandbox
from tests.builders import HEAD, a_head
from tests.fakes.branch import FakeBranch
from tests.fakes.conversation import BOT, FakeConversation, a_comment
from tests.report.situations import all_good, worse_on_one_slice

PERSON = Account(id=7, login="vera")


class Killed(BaseException):
    """The process is gone; nobody can catch it."""


def ports(talk: FakeConversation, ledger: FakeBranch | None = None, run: int = 4242, attempt: int = 1) -> Ports:
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


def test_the_first_report_takes_five_requests_and_the_same_again_writes_nothing() -> None:
    talk = FakeConversation()
    assert publish(all_good(), 7, HEAD, ports(talk)) is True
    assert len(talk.asked) == 5
    assert publish(all_good(), 7, HEAD, ports(talk)) is True
    assert talk.asked == ["GET status", "GET comments"]
    assert publish(worse_on_one_slice(), 7, HEAD, ports(talk)) is True
    assert len(talk.asked) <= 5
    assert [one.body for one in talk.comments_] == [comment(worse_on_one_slice())]
    assert talk.statuses_["mlbot/verdict"][0] == "failure"


def test_the_verdict_is_set_before_anything_else_is_written() -> None:
    talk = FakeConversation()
    publish(all_good(), 7, HEAD, ports(talk))
    written = [one for one in talk.asked if not one.startswith("GET")]
    assert written == ["POST status mlbot/verdict", "POST status mlbot/evaluation", "POST comment"]


def test_a_run_killed_between_statuses_and_comment_is_healed() -> None:
    talk = FakeConversation(refusals={"comment": Killed()})
    with pytest.raises(Killed):
        publish(all_good(), 7, HEAD, ports(talk))
    assert set(talk.statuses_) == {"mlbot/evaluation", "mlbot/verdict"}
    talk.refusals.clear()
    publish(all_good(), 7, HEAD, ports(talk))
    assert [one.body for one in talk.comments_] == [comment(all_good())]
    assert not any("status mlbot" in one for one in talk.asked)


LOCKED = UserError("GitHub refuses: Unable to create comment because issue is locked. (403)", code="forbidden")


def test_in_a_locked_conversation_the_verdict_stands_and_says_why_there_is_no_report() -> None:
    """Told once: asking again writes nothing. When it is unlocked, the report is there and the words are gone."""
    talk = FakeConversation(refusals={"comment": LOCKED})
    there = ports(talk)
    assert publish(all_good(), 7, HEAD, there) is True
    assert [name for name, _ in there.views.failed] == ["report comment"]
    state, said = talk.statuses_["mlbot/verdict"]
    assert state == "pending" and "No report: GitHub refuses: Unable to create comment because issue is lock" in said
    assert "No report" not in talk.statuses_["mlbot/evaluation"][1] and len(said) <= 140
    publish(all_good(), 7, HEAD, ports(talk))
    assert talk.asked == ["GET status", "GET comments", "POST comment"]
    talk.refusals.clear()
    publish(all_good(), 7, HEAD, ports(talk))
    assert "No report" not in talk.statuses_["mlbot/verdict"][1] and len(talk.comments_) == 1


def test_a_status_that_is_refused_keeps_neither_the_other_nor_the_comment_back() -> None:
    talk = FakeConversation(refusals={"status mlbot/verdict": UserError("GitHub refuses: no (403)")})
    with pytest.raises(UserError, match="no"):
        publish(all_good(), 7, HEAD, ports(talk))
    assert set(talk.statuses_) == {"mlbot/evaluation"} and len(talk.comments_) == 1


def test_comments_of_people_are_not_touched() -> None:
    """A person quotes the marker, and writes it at the start."""
    others = [a_comment(1, PERSON, f"{MARKER}\nmine now"), a_comment(2, BOT, f"> {MARKER}")]
    talk = FakeConversation(comments_=list(others))
    publish(all_good(), 7, HEAD, ports(talk))
    assert talk.comments_[:2] == others
    assert len(talk.comments_) == 3


@pytest.mark.parametrize("old", ["<!-- mlbot:report:acme_models -->", "<!-- mlbot:report:acme_ml-models -->", MARKER])
def test_a_repository_that_was_renamed_or_moved_keeps_its_one_report(old: str) -> None:
    talk = FakeConversation(comments_=[a_comment(1, BOT, f"{old}\nold words")])
    publish(all_good(), 7, HEAD, ports(talk))
    assert [one.body for one in talk.comments_] == [comment(all_good())]


@pytest.mark.parametrize(
    ("run", "attempt", "written"), [(4241, 9, False), (4242, 1, False), (4242, 2, True), (4300, 1, True)]
)
def test_an_older_run_or_attempt_never_overwrites_a_newer_one(run: int, attempt: int, written: bool) -> None:
    ledger = FakeBranch()
    ledger.commit({head_path(7, HEAD): a_head(run_id=4242, run_attempt=2).canonical()}, "head")
    talk = FakeConversation()
    assert publish(all_good(), 7, HEAD, ports(talk, ledger, run, attempt)) is written
    assert bool(talk.comments_) is written


def test_over_http_a_changed_report_takes_five_requests_and_the_same_again_writes_nothing(tmp_path: Path) -> None:
    """Through the real adapter; each publication is a process of its own, as in a workflow."""
    (tmp_path / "template" / "models").mkdir(parents=True)
    (tmp_path / "template" / "models" / "a.txt").write_text("one\n")
    with Sandbox.start(tmp_path / "world", template=tmp_path / "template") as sandbox:
        number = sandbox.propose("dana", "change", {"models/a.txt": b"two\n"}, "Change")
        fields = {"api_url": sandbox.api_url, "repository": sandbox.repository, "token": sandbox.token("dana")}
        dana = GitHub(**fields, account=None).me()
        head = GitHub(**fields, account=dana).get(number).head_sha

        def requests(report: Report) -> list[str]:
            before, port = len(sandbox.requests()), GitHub(**fields, account=dana)
            there = replace(ports(FakeConversation()), pull_requests=port, conversation=port)
            assert publish(report, number, head, there)
            asked = sandbox.requests()[before:]
            return ["QUERY" if path.endswith("/graphql") else method for method, path, _ in asked]

        assert requests(all_good()) == ["GET", "POST", "POST", "QUERY", "POST"]
        assert requests(all_good()) == ["GET", "QUERY"]
        assert requests(worse_on_one_slice())[-1] == "PATCH"
