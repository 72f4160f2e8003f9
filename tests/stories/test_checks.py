"""A rule that waits for a check of another workflow: the real one counts, its namesakes do not, and it may turn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.sandbox.world import Sandbox
from tests.stories.world import ROOT, approve_by_review, bot_said, rehearsal, rerun, verdict

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600)]
RULE = """rules:
  - name: scanned
    description: The scanner of the default branch has looked at it.
    when: {always: true}
    require:
      checks:
        - {name: scan, app_id: 15368, workflow: .github/workflows/scan.yml, ref: refs/heads/main, events: [EVENT]}
"""
SCAN = """name: scan
on: EVENT
permissions: {}
jobs:
  scan:
    name: scan
    runs-on: ubuntu-24.04-arm
    permissions: {}
    steps:
      - run: test "$RESULT" = good
        env:
          RESULT: ${{ vars.SCAN }}
"""
EVENT = "pull_request_target"


def overlay() -> dict[str, bytes | None]:
    """The policy with the rule, the workflow that it names, and the permissions that docs/policies.md asks for."""
    policy = (ROOT / "policies/approvals.yaml").read_text()
    policy = policy.replace("rules:\n", RULE.replace("EVENT", EVENT), 1).replace("all_of: [", "all_of: [scanned, ", 1)
    files: dict[str, bytes | None] = {
        "policies/approvals.yaml": policy.encode(),
        ".github/workflows/scan.yml": SCAN.replace("EVENT", EVENT).encode(),
    }
    for name in ("pull-request", "reviewed", "reconcile"):
        path = f".github/workflows/{name}.yml"
        line = r"(      statuses: write # .*\n)"
        files[path] = re.sub(line, r"\1      checks: read\n      actions: read\n", (ROOT / path).read_text()).encode()
    return files


def scan(sandbox: Sandbox, result: str) -> None:
    """The scanner looks again, with another result; no event tells the bot, the schedule does."""
    sandbox.repo.variables["SCAN"] = result
    rerun(sandbox, next(run for run in sandbox.runs if (run.file, run.event) == ("scan.yml", EVENT)))
    sandbox.schedule("reconcile.yml")
    sandbox.settle()


def test_a_required_check_counts_by_its_workflow_and_its_last_word(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "world", overlay()) as sandbox:
        sandbox.repo.variables["SCAN"] = "bad"
        forged = SCAN.replace("EVENT", "push").replace("${{ vars.SCAN }}", "good").encode()
        files = {"docs/note.md": b"a note\n", ".github/workflows/scan.yml": forged}
        number = sandbox.propose("dana", "note", files, "A note")
        sandbox.settle()
        approve_by_review(sandbox, "owen", number)
        approve_by_review(sandbox, "vera", number)
        approve_by_review(sandbox, "rhea", number)
        ended = {(run.event, run.conclusion) for run in sandbox.runs if run.file == "scan.yml"}
        assert ended == {("push", "success"), (EVENT, "failure")}, "a namesake of the branch is green"
        assert verdict(sandbox, number) == "pending", bot_said(sandbox, number)[0][:3000]
        report = bot_said(sandbox, number)[0]
        assert "The check scan ended with failure." in report, report[:2500]

        scan(sandbox, "good")
        assert verdict(sandbox, number) == "success", bot_said(sandbox, number)[0][:2500]
        scan(sandbox, "bad")
        assert verdict(sandbox, number) == "pending"
