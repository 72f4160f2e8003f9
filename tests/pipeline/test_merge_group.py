"""A merge group is let through by what was approved last, not by what ever was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.pipeline import merge_group
from bot.records.decision import Decision, ModelVerdict, Node
from bot.records.event import MergeGroupRequested
from bot.records.ledger import decision_path
from tests.pipeline.test_train_and_report import penalised
from tests.pipeline.world import BASE, world


def decided(status: Any, at: str, inputs: str) -> Decision:
    model = ModelVerdict(
        model="churn", status=status, inputs_digest=inputs, evaluation_digest=None, artifact_digest=None, approvals=()
    )
    return Decision(
        subject="merge", number=7, head_sha="1" * 40, status=status, reason_code="approved", headline="", risk_tier="",
        tree=Node(name="merge", status=status, reason_code="approved", sentence="x"), models=(model,), unblock=(),
        facts_digest="sha256:" + "0" * 64, policy_digest="", decided_at=at,
    )  # fmt: skip


WORDS = [
    ([], "failure"),
    ([("approved", "2026-11-01T00:00:00Z")], "success"),
    ([("approved", "2026-11-01T00:00:00Z"), ("rejected", "2026-11-02T00:00:00Z")], "failure"),
    ([("approved", "2026-11-01T00:00:00Z"), ("pending", "2026-11-01T00:00:00Z")], "failure"),
    ([("pending", "2026-11-01T00:00:00Z"), ("approved", "2026-11-02T00:00:00Z")], "success"),
]


@pytest.mark.parametrize(
    ("words", "state"), WORDS, ids=["none", "approved", "then held", "in one second", "approved at last"]
)
def test_only_the_last_word_lets_a_group_through(
    words: list[tuple[str, str]], state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(tmp_path, monkeypatch, head={"models/churn/model.yaml": penalised(0.5)})
    job = made.job()
    monkeypatch.setattr(type(job.ports.git), "fetch", lambda *_: None, raising=False)
    inputs = merge_group.plan(BASE, made.sha, job.ports).planned[0].inputs_digest
    for status, at in words:
        decision = decided(status, at, inputs)
        made.ledger.files[decision_path(7, decision.digest())] = decision.canonical()
    merge_group.verify_group(MergeGroupRequested(head_sha=made.sha), job)
    assert made.talk.statuses_["mlbot/verdict"][0] == state


def test_a_group_that_cannot_be_verified_is_told_so_and_not_left_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(tmp_path, monkeypatch)
    with pytest.raises(UserError):
        merge_group.verify_group(MergeGroupRequested(head_sha="e" * 40), made.job())
    assert {context: state for context, (state, _) in made.talk.statuses_.items()} == {
        "mlbot/verdict": "error", "mlbot/evaluation": "error",
    }  # fmt: skip
    assert made.talk.statuses_["mlbot/verdict"][1].startswith("Cannot be judged: ")
