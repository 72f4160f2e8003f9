"""What no event announces: a pull request of a bot's, a lost review, a merge of the bot's own. Nothing stays undone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.sandbox.world import Sandbox
from tests.stories.world import approve_by_review, bot_said, rehearsal, say, verdict

pytestmark = [
    pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("repairs"),
]  # fmt: skip


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with rehearsal(tmp_path_factory.mktemp("repairs") / "world") as started:
        yield started


@pytest.fixture(scope="module")
def number(sandbox: Sandbox) -> int:
    """A pull request whose opening started no workflow, as when GITHUB_TOKEN opens it, and that is dispatched."""
    sandbox.engine.enabled = False
    number = sandbox.propose("dana", "docs", {"docs/note.md": b"a note"}, "Docs")
    sandbox.engine.enabled = True
    assert sandbox.settle() == [] and verdict(sandbox, number) == "none"
    repository = sandbox.github("rhea").get_repo(sandbox.repository)
    repository.get_workflow("pull-request.yml").create_dispatch("main", {"number": str(number)})
    (run,) = sandbox.settle()
    assert (run.event, run.conclusion, run.title) == ("workflow_dispatch", "success", f"#{number} dispatched")
    return number


def test_a_pull_request_that_started_nothing_is_reported_when_it_is_dispatched(sandbox: Sandbox, number: int) -> None:
    assert len(bot_said(sandbox, number)) == 1


def test_a_review_whose_event_was_lost_counts_after_the_next_reconcile(sandbox: Sandbox, number: int) -> None:
    before = verdict(sandbox, number)
    sandbox.engine.enabled = False
    approve_by_review(sandbox, "owen", number)
    sandbox.engine.enabled = True
    assert before == verdict(sandbox, number) == "pending"
    sandbox.schedule("reconcile.yml")
    (run,) = sandbox.settle()
    assert (run.conclusion, verdict(sandbox, number)) == ("success", "success")


def test_a_merge_by_the_bot_starts_the_promotion_that_its_token_does_not(sandbox: Sandbox, number: int) -> None:
    say(sandbox, "rhea", number, "/merge")
    merged = sandbox.github("dana").get_repo(sandbox.repository).get_pull(number).merged
    assert merged, (bot_said(sandbox, number), [(run.file, run.event, run.conclusion) for run in sandbox.runs])
    run = sandbox.runs[-1]
    assert (run.file, run.event, run.conclusion) == ("promote.yml", "workflow_dispatch", "success")
