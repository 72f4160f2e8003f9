"""What no event announces: a pull request of a bot's, a lost review, a merge of the bot's own. Nothing stays undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.world import Sandbox
from tests.sandboxes import copied, made_once
from tests.stories.world import approve_by_review, bot_said, rehearsal, say, verdict

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600)]
NUMBER = 1


def dispatched(folder: Path) -> None:
    """A pull request whose opening started no workflow, as when GITHUB_TOKEN opens it, and that is dispatched."""
    with rehearsal(folder) as sandbox:
        sandbox.engine.enabled = False
        assert sandbox.propose("dana", "docs", {"docs/note.md": b"a note"}, "Docs") == NUMBER
        sandbox.engine.enabled = True
        assert sandbox.settle() == [] and verdict(sandbox, NUMBER) == "none"
        repository = sandbox.github("rhea").get_repo(sandbox.repository)
        repository.get_workflow("pull-request.yml").create_dispatch("main", {"number": str(NUMBER)})
        sandbox.settle()


@pytest.fixture
def sandbox(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Sandbox]:
    with copied(made_once(tmp_path_factory, "dispatched", dispatched), tmp_path / "world") as resumed:
        yield resumed


def test_a_pull_request_that_started_nothing_is_reported_when_it_is_dispatched(sandbox: Sandbox) -> None:
    (run,) = sandbox.runs
    assert (run.event, run.conclusion, run.title) == ("workflow_dispatch", "success", f"#{NUMBER} dispatched")
    assert len(bot_said(sandbox, NUMBER)) == 1


def test_a_review_whose_event_was_lost_counts_after_the_next_reconcile(sandbox: Sandbox) -> None:
    before = verdict(sandbox, NUMBER)
    sandbox.engine.enabled = False
    approve_by_review(sandbox, "owen", NUMBER)
    sandbox.engine.enabled = True
    assert before == verdict(sandbox, NUMBER) == "pending"
    sandbox.schedule("reconcile.yml")
    (run,) = sandbox.settle()
    assert (run.conclusion, verdict(sandbox, NUMBER)) == ("success", "success")


def test_a_merge_by_the_bot_starts_the_promotion_that_its_token_does_not(sandbox: Sandbox) -> None:
    approve_by_review(sandbox, "owen", NUMBER)
    say(sandbox, "rhea", NUMBER, "/merge")
    merged = sandbox.github("dana").get_repo(sandbox.repository).get_pull(NUMBER).merged
    assert merged, (bot_said(sandbox, NUMBER), [(run.file, run.event, run.conclusion) for run in sandbox.runs])
    run = sandbox.runs[-1]
    assert (run.file, run.event, run.conclusion) == ("promote.yml", "workflow_dispatch", "success")
