"""An author with write permission tries to let an unapproved model out, in the running thing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.world import Sandbox
from tests.stories.world import (
    BIKES,
    approve_by_review,
    bikes,
    bot_said,
    evaluation_id,
    ledger,
    live,
    merge,
    rehearsal,
    say,
    verdict,
)

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with rehearsal(tmp_path / "world") as started:
        yield started


def test_no_way_round_the_approvals_promotes_anything(sandbox: Sandbox) -> None:
    """Edited comments, a push after the approvals, a forged status and a merge without approval change nothing live."""
    number = sandbox.propose("dana", "tune", {BIKES: bikes(61)}, "Tune")
    sandbox.settle()
    first = evaluation_id(sandbox, number)

    innocent = say(sandbox, "vera", number, "Nice work")
    comment = sandbox.github("vera").get_repo(sandbox.repository).get_issue(number).get_comment(innocent)
    comment.edit(f"/approve {first}")
    sandbox.settle()
    approve_by_review(sandbox, "owen", number)
    assert verdict(sandbox, number) == "pending", "an edited comment approves nothing"

    forge_comment(sandbox, number, f"/approve {first}")
    assert verdict(sandbox, number) == "pending", "a comment that GitHub does not hold approves nothing"

    say(sandbox, "vera", number, f"/approve {first}")
    assert verdict(sandbox, number) == "success"
    facts, said = ledger(sandbox), bot_said(sandbox, number)
    sandbox.redeliver(next(run for run in reversed(sandbox.runs) if run.file == "chatops.yml"))
    sandbox.settle()
    assert opinions(facts) == opinions(ledger(sandbox)), "a second delivery is no second opinion"
    assert bot_said(sandbox, number) == said
    sandbox.commit("dana", "tune", {BIKES: bikes(62)}, "one more thing")
    sandbox.settle()
    assert verdict(sandbox, number) == "pending", "approvals fall with what would be deployed"
    assert evaluation_id(sandbox, number) != first

    repository = sandbox.github("dana").get_repo(sandbox.repository)
    head = repository.get_pull(number).head.sha
    repository.get_commit(head).create_status(
        "success", context="mlbot/verdict", description="Approved: may be merged."
    )
    merge(sandbox, "dana", number)
    assert live(sandbox) == [], "a forged status lets nothing out"
    assert "Not promoted to staging" in bot_said(sandbox, number)[-1]

    say(sandbox, "rhea", number, f"/promote {evaluation_id(sandbox, number)} to production")
    assert live(sandbox) == []


def forge_comment(sandbox: Sandbox, number: int, body: str) -> None:
    """The payload of a comment of vera's that she never wrote, as if GitHub had delivered it."""
    run = next(run for run in reversed(sandbox.runs) if run.file == "chatops.yml")
    payload = json.loads((sandbox.folder(run) / "event.json").read_text())
    vera = sandbox.github("dana").get_user("vera").raw_data
    payload["comment"] |= {"body": body, "user": vera}
    sandbox.announce("issue_comment", {**payload, "sender": vera})
    (forged,) = sandbox.settle()
    assert (forged.file, forged.conclusion) == ("chatops.yml", "success")


def opinions(facts: list[str]) -> list[str]:
    return [path for path in facts if path.startswith("approvals/")]


def test_a_branch_cannot_forge_the_ledger(sandbox: Sandbox) -> None:
    """A file that was pushed to the bot's branch without its key is refused, and then nothing is decided."""
    number = sandbox.propose("dana", "docs", {"docs/note.md": b"a note"}, "Docs")
    sandbox.settle()
    folder = sandbox.clone.parent / "forger"
    sandbox.git("dana", "clone", "-q", "-b", "mlbot/ledger", sandbox.clone_url(), str(folder), cwd=sandbox.clone.parent)
    (folder / "approvals" / str(number)).mkdir(parents=True)
    (folder / "approvals" / str(number) / "c1.json").write_text("{}")
    sandbox.git("dana", "add", "-A", cwd=folder)
    sandbox.git("dana", "commit", "-qm", "approve", cwd=folder)
    sandbox.git("dana", "push", "-q", "origin", "HEAD:mlbot/ledger", cwd=folder)
    approve_by_review(sandbox, "owen", number)
    assert sandbox.runs[-1].file == "reviewed.yml" and sandbox.runs[-1].conclusion == "failure"
    assert verdict(sandbox, number) != "success"
