"""One sticky comment and two statuses: written once, healed after a crash, never set back by an older run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.github import GitHub
from bot.errors import WorldError
from bot.ports import Ports, Run
from bot.records.event import Account
from bot.records.ledger import head_path
from bot.records.report import Report
from bot.report.markdown import comment, marker
from bot.report.status import VERDICT
from bot.report.step import publish
from bot.sandbox.world import Sandbox
from tests.builders import HEAD, a_head
from tests.fakes.branch import FakeBranch
from tests.fakes.conversation import BOT, FakeConversation, a_comment
from tests.report.situations import all_good, worse_on_one_slice

PERSON = Account(id=7, login="vera")


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


def test_the_first_report_takes_four_requests_and_the_same_again_writes_nothing() -> None:
    talk = FakeConversation()
    assert publish(all_good(), 7, HEAD, ports(talk)) is True
    assert len(talk.asked) == 4
    assert publish(all_good(), 7, HEAD, ports(talk)) is True
    assert talk.asked == ["GET comments", "GET status"]
    assert publish(worse_on_one_slice(), 7, HEAD, ports(talk)) is True
    assert len(talk.asked) == 4
    assert [one.body for one in talk.comments_] == [comment(worse_on_one_slice(), key="acme/app")]
    assert talk.statuses_["mlbot/verdict"][0] == "failure"


def test_an_opinion_changes_the_comment_and_the_verdict_only() -> None:
    talk = FakeConversation()
    publish(all_good(), 7, HEAD, ports(talk))
    publish(worse_on_one_slice(), 7, HEAD, ports(talk), contexts=(VERDICT,))
    assert talk.asked == ["GET comments", "PATCH comment", "POST status mlbot/verdict"]


def test_a_run_killed_between_comment_and_statuses_is_healed() -> None:
    talk = FakeConversation(dies_after_comment=True)
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
    talk = FakeConversation(comments_=list(others))
    publish(all_good(), 7, HEAD, ports(talk))
    assert talk.comments_[:2] == others
    assert len(talk.comments_) == 3


@pytest.mark.parametrize(
    ("run", "attempt", "written"), [(4241, 9, False), (4242, 1, False), (4242, 2, True), (4300, 1, True)]
)
def test_an_older_run_or_attempt_never_overwrites_a_newer_one(run: int, attempt: int, written: bool) -> None:
    ledger = FakeBranch()
    ledger.commit({head_path(7, HEAD): a_head(run_id=4242, run_attempt=2).canonical()}, "head")
    talk = FakeConversation()
    assert publish(all_good(), 7, HEAD, ports(talk, ledger, run, attempt)) is written
    assert bool(talk.comments_) is written


def test_over_http_a_changed_report_takes_four_requests_and_the_same_again_writes_nothing(tmp_path: Path) -> None:
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

        assert requests(all_good()) == ["QUERY", "POST", "POST", "POST"]
        assert requests(all_good()) == ["QUERY", "GET"]
        assert requests(worse_on_one_slice()) == ["QUERY", "PATCH", "POST", "POST"]
