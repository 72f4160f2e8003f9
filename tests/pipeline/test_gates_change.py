"""policies/gates.yaml changes while a pull request is open: it is judged by the gates of now, from stored numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import Parts
from bot.pipeline.judge import rejudge_open
from bot.ports import Comment
from bot.records.event import Account
from tests.pipeline.test_chatops_job import PEOPLE, SPEC, penalised
from tests.pipeline.world import GATES, World, world

STRICTER = GATES.replace(b"0.6}", b"0.9999}")
STILL_MET = GATES.replace(b"0.6}", b"0.61}")
SLICES = GATES + b"  - {id: everywhere, kind: slice_floor, metric: mcc, value: -0.99}\n"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Approved by an owner and a validator."""
    made = world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})
    made.talk.workflows = frozenset({"pull-request.yml"})
    made.evaluate()
    at = made.clock.now()
    for number, who in ((1, PEOPLE["owen"]), (2, Account(id=1003, login="vera"))):
        made.talk.comments_.append(Comment(number, who, f"/approve {made.sha}", at, at))
    made.rejudge()
    assert verdict(made) == "success"
    return made


def verdict(made: World) -> str:
    return made.talk.statuses_["mlbot/verdict"][0]


def change(made: World, gates: bytes) -> None:
    """On the default branch; the pull request is up to date with it."""
    made.base["policies/gates.yaml"] = made.head["policies/gates.yaml"] = gates


def is_said(made: World, words: str) -> bool:
    """By a decision."""
    return any(words.encode() in data for path, data in made.ledger.files.items() if path.startswith("decisions/"))


def reconcile(made: World) -> None:
    parts = Parts()
    rejudge_open(made.job(), parts)
    assert not parts.failed


def test_a_stricter_gate_reaches_what_is_open_and_approvals_stay_where_it_is_met(made: World) -> None:
    change(made, STRICTER)
    reconcile(made)
    assert verdict(made) == "failure" and "worth_it" in made.talk.statuses_["mlbot/verdict"][1]
    change(made, STILL_MET)
    reconcile(made)
    assert verdict(made) == "success"
    assert made.talk.dispatched == [], "nothing is measured again"
    assert made.evaluate() and verdict(made) == "success", "nor by the next run of the workflow"


def test_what_was_not_measured_is_measured_once_and_approvals_fall(made: World) -> None:
    change(made, SLICES)
    for _ in range(2):
        reconcile(made)
    assert verdict(made) == "pending" and is_said(made, "everywhere came or changed after the evaluation of churn")
    assert made.talk.dispatched == [("pull-request.yml", {"number": "7"})]
    before = len([path for path in made.ledger.files if path.startswith("evaluations/")])
    made.evaluate()
    after = len([path for path in made.ledger.files if path.startswith("evaluations/")])
    assert after > before and verdict(made) == "pending" and "approve as" in made.talk.statuses_["mlbot/verdict"][1]


@pytest.mark.parametrize("gates", [b"version: 1\ngates: []\n", b"no: 1\n"])
def test_gates_that_cannot_be_read_approve_nothing(made: World, gates: bytes) -> None:
    change(made, gates)
    made.rejudge()
    assert verdict(made) == "pending" and is_said(made, "gates.yaml")
