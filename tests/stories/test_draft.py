"""A draft is planned and not trained; marking it as ready for review trains it, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox.world import Sandbox
from tests.stories.world import BIKES, bikes, bot_said, ledger, rehearsal, verdict

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600)]


def mark(sandbox: Sandbox, number: int, word: str) -> dict[str, str]:
    """What dana's click starts: job -> result of the new runs of `pull-request`."""
    path = f"/repos/{sandbox.repository}/pulls/{number}/{word}"
    sandbox.github("dana").requester.requestJsonAndCheck("POST", path)
    return jobs(sandbox)


def jobs(sandbox: Sandbox) -> dict[str, str]:
    runs = [run for run in sandbox.settle() if run.file == "pull-request.yml"]
    return {job.name.split("/")[1].split()[0]: job.result for run in runs for job in run.jobs}


def test_a_draft_is_trained_when_it_is_ready_and_not_again_when_it_is_a_draft_once_more(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "world") as sandbox:
        number = sandbox.propose("dana", "early", {BIKES: bikes(12)}, "Early", draft=True)
        assert jobs(sandbox) == {"plan": "success", "report": "success"}
        assert "is a draft, and its models are not trained yet" in bot_said(sandbox, number)[0]
        assert verdict(sandbox, number) != "success"
        assert not [path for path in ledger(sandbox) if path.startswith("evaluations/")]

        assert mark(sandbox, number, "ready_for_review") == dict.fromkeys(("plan", "train", "report"), "success")
        (report,) = bot_said(sandbox, number)
        assert "is a draft" not in report and "bike-rentals" in report
        assert len([path for path in ledger(sandbox) if path.startswith("evaluations/")]) == 1

        assert mark(sandbox, number, "convert_to_draft") == {}, "a draft starts nothing"
        again = mark(sandbox, number, "ready_for_review")
        assert again == {"plan": "success", "report": "success"}, "the same inputs are not trained twice"
