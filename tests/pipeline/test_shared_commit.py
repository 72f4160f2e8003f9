"""Two pull requests of one commit: its verdict opens neither unless both are approved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.pipeline.judge import judge, show_verdict
from bot.ports import Sibling
from bot.records.decision import Decision
from bot.records.event import Account
from bot.records.ledger import decision_path
from tests.decide.world import facts
from tests.decide.world import judge as judged
from tests.pipeline.test_chatops_job import SPEC, penalised
from tests.pipeline.world import NUMBER, World, world

OTHER = 9


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})
    made.evaluate()
    return made


def status(made: World, author: Account, other: Decision | None, sha: str | None = None) -> tuple[str, str]:
    """What the commit says after #7, which waits, was judged beside #9 by somebody."""
    if other is not None:
        other = other.model_copy(update={"number": OTHER, "head_sha": sha or made.sha})
        made.ledger.files[decision_path(OTHER, other.digest())] = other.canonical()
    job = made.job()
    github: Any = job.ports.pull_requests
    github.pulls[NUMBER] = replace(github.pulls[NUMBER], siblings=(Sibling(OTHER, author),))
    show_verdict(judge(NUMBER, "merge", job), job)
    return made.talk.statuses_["mlbot/verdict"]


REJECTED = judged(facts()).model_copy(update={"status": "rejected", "headline": "Rejected: no."})
VERA, STRANGER = Account(id=1003, login="vera"), Account(id=4242, login="stranger")


def test_the_worse_verdict_of_another_stands_and_of_a_stranger_does_not(made: World) -> None:
    assert status(made, VERA, REJECTED) == ("failure", "#9: Rejected: no. [same commit: #7]")
    state, said = status(made, STRANGER, None)
    assert state == "pending" and said.endswith("[same commit: #9 not counted]")


def test_a_verdict_on_another_head_is_none_on_this(made: World) -> None:
    state, said = status(made, VERA, REJECTED, sha="9" * 40)
    assert state == "pending" and said.endswith("[same commit: #9]")
