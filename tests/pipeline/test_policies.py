"""Policies that do not load, and pull requests that change them: what people see on the pull request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.pipeline.job import Job
from tests.pipeline.test_train_and_report import text
from tests.pipeline.world import world

BROKEN = b"apiVersion: policy/v1\nkind: Commands\ncommands:\n  approve: {permision: read}\n"


def test_a_policy_that_does_not_load_is_an_error_on_the_pull_request_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(tmp_path, monkeypatch, head={"README.md": b"x"})
    whole = dict(made.base)
    made.base = {**whole, "policies/commands.yaml": BROKEN}
    with pytest.raises(UserError, match="permision"):
        made.evaluate()
    assert "policies/commands.yaml:4" in text(made.comment())
    state, description = made.talk.statuses_["mlbot/verdict"]
    assert state == "error" and "policies/commands.yaml:4" in description
    with pytest.raises(UserError):
        made.rejudge()
    made.base = whole
    assert "policies/commands.yaml:4" not in text(made.rejudge())
    assert made.talk.statuses_["mlbot/verdict"][0] == "pending"


def test_before_there_is_a_report_the_error_is_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(tmp_path, monkeypatch, head={"README.md": b"x"})
    made.base = {**made.base, "policies/commands.yaml": BROKEN}
    with pytest.raises(UserError):
        made.rejudge()
    assert "policies/commands.yaml:4" in text(made.comment())
    assert made.talk.statuses_["mlbot/verdict"][0] == "error"


def test_a_pull_request_that_edits_policies_gets_the_difference_as_a_comment_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(tmp_path, monkeypatch, head={"README.md": b"x"})
    made.evaluate()
    policy = made.base["policies/approvals.yaml"]
    made.push(**{"policies/approvals.yaml": policy.replace(b"evaluation: passes", b"evaluation: X")})

    def difference() -> list[str]:
        return [one.body for one in made.talk.comments_ if one.body.startswith("<!-- mlbot:policy:mlbot -->")]

    made.evaluate()
    assert "do not load: <code>policies/approvals.yaml:" in difference()[0]
    weaker = policy.replace(b"unattributed_commits: block", b"unattributed_commits: ignore")
    made.push(**{"policies/approvals.yaml": weaker.replace(b"valid_for: 14d", b"valid_for: 1d")})
    made.evaluate()
    assert len(difference()) == 1 and "same verdict for the last" in difference()[0]


def test_a_template_that_does_not_work_costs_its_words_and_not_the_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(tmp_path, monkeypatch, head={"README.md": b"x"})
    made.base["policies/templates/comment.md.j2"] = b"{{ nothing_like_this }}"
    assert made.evaluate()
    assert made.talk.statuses_["mlbot/verdict"][0] == "pending"
    assert any("policies/templates/comment.md.j2" in one for one in made.said)


def test_a_pull_request_against_another_branch_never_makes_the_verdict_that_the_default_branch_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A status belongs to a commit: two pull requests of one head would share it."""
    made = world(tmp_path, monkeypatch, head={"README.md": b"x"})
    made.evaluate()
    made.talk.statuses_.clear()
    kept = made.job
    monkeypatch.setattr(made, "job", lambda: _against("release", kept()))
    made.rejudge()
    assert set(made.talk.statuses_) <= {"mlbot/verdict: release", "mlbot/evaluation: release"}
    assert "mlbot/verdict: release" in made.talk.statuses_


def _against(branch: str, job: Job) -> Job:
    github: Any = job.ports.pull_requests
    github.pulls = {number: replace(one, base_ref=branch) for number, one in github.pulls.items()}
    return job
