"""What the people with the release role are told, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.ports import Comment
from bot.records.event import Account
from tests.pipeline.test_chatops_job import PEOPLE, SPEC, penalised
from tests.pipeline.world import World, world


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})


def alerts(made: World) -> list[str]:
    return [one.body for one in made.talk.comments_ if one.body.startswith("<!-- mlbot:alert:")]


@pytest.mark.parametrize("editor", ["dana", "owen"])
def test_an_approval_that_somebody_else_edited_is_told_once(made: World, editor: str) -> None:
    made.evaluate()
    at = made.clock.now()
    made.talk.comments_.append(Comment(77, PEOPLE["owen"], f"/approve {made.sha}", at, at))
    made.rejudge()
    assert alerts(made) == []
    by = Account(id=PEOPLE[editor].id, login=editor)
    made.talk.comments_[-1] = replace(made.talk.comments_[-1], body="no", updated_at=at + timedelta(hours=1), editor=by)
    said = [made.rejudge(), made.rejudge()]
    if editor == "owen":
        assert alerts(made) == [] and made.talk.statuses_["mlbot/verdict"][0] == "pending"
        return
    (alert,) = alerts(made)
    assert alert.startswith("<!-- mlbot:alert:c77 -->\n@rhea The approval c77 of owen") and "dana edited" in alert
    assert made.talk.statuses_["mlbot/verdict"][0] == "error" and "c77" in said[-1]
    assert "/unhold --reason" in alert
