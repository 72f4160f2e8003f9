"""What keeps a pull request from being judged blocks it, says so where the verdict stands, and goes away by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError, WorldError
from bot.pipeline import judge
from tests.pipeline.test_train_and_report import SPEC, penalised
from tests.pipeline.world import NUMBER, World, world

RULE = "cannot push branch mlbot/ledger: GH013: Repository rule violations found for refs/heads/mlbot/ledger. Changes"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})


def refuse(made: World, error: Exception) -> Any:
    """The ledger refuses every commit; what takes that back."""

    def commit(*_arguments: Any, **_options: Any) -> str:
        raise error

    made.ledger.commit = commit  # type: ignore[method-assign]
    return lambda: made.ledger.__dict__.pop("commit")


@pytest.mark.parametrize("error", [UserError(RULE, code="push_refused"), WorldError("GitHub does not answer")])
def test_a_ledger_that_cannot_be_written_is_an_error_of_the_verdict_in_githubs_words(
    made: World, error: Exception
) -> None:
    mend = refuse(made, error)
    with pytest.raises(type(error)):
        made.evaluate()
    state, said = made.talk.statuses_["mlbot/verdict"]
    assert state == "error" and said.startswith(f"Cannot be judged: {str(error)[:60]}")
    mend()
    made.evaluate()
    state, said = made.talk.statuses_["mlbot/verdict"]
    assert state != "success" and "GH013" not in said


def test_a_verdict_that_cannot_be_made_again_is_not_left_green_and_is_said_once(
    made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.evaluate()
    made.talk.statuses_["mlbot/verdict"] = ("success", "Approved")

    def collect(*_arguments: Any, **_options: Any) -> Any:
        raise WorldError("GitHub failed: Bad gateway (502)")

    with monkeypatch.context() as patch:
        patch.setattr(judge, "collect", collect)
        for _ in range(2):
            made.talk.asked.clear()
            with pytest.raises(WorldError):
                judge.rejudge(NUMBER, made.job())
        assert made.talk.statuses_["mlbot/verdict"] == ("error", "Cannot be judged: GitHub failed: Bad gateway (502)")
        assert not any(one.startswith("POST") for one in made.talk.asked), "a quiet repository is left alone"
    made.rejudge()
    assert "502" not in made.talk.statuses_["mlbot/verdict"][1]
