"""GitHub refuses a write: what must happen happens all the same, and people read what GitHub said."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.sandbox.world import Sandbox
from tests.reliability.conftest import TUNED
from tests.reliability.recorded import given
from tests.stories.world import (
    BIKES,
    NOTES,
    ROOT,
    approve_by_review,
    bot_said,
    evaluation_id,
    live,
    merge,
    say,
    verdict,
)

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]


def lock(sandbox: Sandbox, number: int) -> None:
    """A moderator locks the conversation: people who may push still speak, the workflow's token does not."""
    sandbox.github("rhea").get_repo(sandbox.repository).get_issue(number).lock("too heated")


def settings(sandbox: Sandbox, verb: str, path: str, **body: Any) -> None:
    """What an administrator sets."""
    sandbox.github("ada").requester.requestJsonAndCheck(verb, f"/repos/{sandbox.repository}{path}", input=body)


# --- a conversation that a moderator locked


def test_a_pull_request_whose_conversation_is_locked_gets_its_verdict(sandbox: Sandbox) -> None:
    number = sandbox.propose("dana", "more", {"docs/more.md": b"more\n"}, "More")
    lock(sandbox, number)
    sandbox.settle()
    assert (bot_said(sandbox, number), verdict(sandbox, number)) == ([], "pending")


@pytest.mark.parametrize("body", ["/hold --reason a complaint", "/reject --reason a complaint"])
def test_a_veto_in_a_locked_conversation_blocks(sandbox: Sandbox, body: str) -> None:
    lock(sandbox, NOTES)
    say(sandbox, "rhea", NOTES, body)
    assert verdict(sandbox, NOTES) != "success"


# --- a merge that GitHub does not make


@pytest.mark.parametrize("method", ["squash", "rebase"])
def test_a_merge_is_made_as_the_repository_allows(sandbox: Sandbox, method: str) -> None:
    allowed = {f"allow_{name}": name.startswith(method) for name in ("merge_commit", "squash_merge", "rebase_merge")}
    settings(sandbox, "PATCH", "", **allowed)
    say(sandbox, "rhea", NOTES, "/merge")
    assert is_merged(sandbox)


@pytest.mark.parametrize(
    "message",
    ["Changes must be made through the merge queue", "Base branch was modified. Review and try the merge again."],
)
def test_a_merge_is_made_or_its_refusal_is_answered(sandbox: Sandbox, message: str) -> None:
    before = len(bot_said(sandbox, NOTES))
    sandbox.fail_next("PUT", r"/pulls/\d+/merge$", 405, message=message)
    say(sandbox, "rhea", NOTES, "/merge")
    assert is_merged(sandbox) or message.rstrip(".") in "\n".join(bot_said(sandbox, NOTES)[before:])


def is_merged(sandbox: Sandbox) -> bool:
    return bool(sandbox.github("dana").get_repo(sandbox.repository).get_pull(NOTES).merged)


def test_a_merge_that_nothing_refuses_is_made(sandbox: Sandbox) -> None:
    say(sandbox, "rhea", NOTES, "/merge")
    assert is_merged(sandbox)


# --- a view of what is live that cannot be written


def no_tags(sandbox: Sandbox) -> None:
    """Tags are somebody else's to make."""
    names = {"ref_name": {"include": ["~ALL"], "exclude": []}}
    rule = {
        "name": "tags",
        "target": "tag",
        "enforcement": "active",
        "conditions": names,
        "rules": [{"type": "creation"}],
    }
    settings(sandbox, "POST", "/rulesets", **rule)


def no_deployments(sandbox: Sandbox) -> None:
    sandbox.fail_next("POST", r"/deployments$", 403, message="Resource not accessible by integration", times=50)


REFUSED = {"tags": (no_tags, "GH013"), "deployments": (no_deployments, "Resource not accessible by integration")}


@pytest.mark.parametrize("view", REFUSED)
def test_a_model_that_is_live_is_never_called_not_promoted(releasing: Sandbox, view: str) -> None:
    refuse, reason = REFUSED[view]
    refuse(releasing)
    before = len(bot_said(releasing, TUNED))
    say(releasing, "rhea", TUNED, "/merge")
    assert live(releasing) == ["staging/bike-rentals/release.json"]
    said = re.sub(r"[*`]", "", "\n".join(bot_said(releasing, TUNED)[before:]))
    assert "not promoted" not in said
    assert re.search(r"bike-rentals v1\.0\.0", said), said
    assert reason in said, "GitHub's own words, in a second sentence"


NIGHTS = "models/bike-nights"


def test_a_view_that_cannot_be_written_keeps_reconcile_from_nothing_else(releasing: Sandbox) -> None:
    """Here: from promoting a merge whose run was lost."""
    spec = (ROOT / BIKES).read_bytes()
    number = releasing.propose("dana", "nights", {f"{NIGHTS}/model.yaml": spec}, "Another model")
    releasing.settle()
    say(releasing, "vera", number, f"/approve {evaluation_id(releasing, number)}")
    approve_by_review(releasing, "owen", number)
    given(verdict(releasing, number) == "success", "another green model")
    no_tags(releasing)
    merge(releasing, "rhea", TUNED)
    releasing.engine.enabled = False
    merge(releasing, "rhea", number)
    releasing.engine.enabled = True
    releasing.schedule("reconcile.yml")
    releasing.settle()
    assert live(releasing) == ["staging/bike-nights/release.json", "staging/bike-rentals/release.json"]
