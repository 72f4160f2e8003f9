"""Another repository calls these workflows by commit, as docs/reuse.md says, and has none of their text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.sandbox.world import Sandbox
from tests.stories.world import ROOT, approve_by_review, bot_said, rehearsal, say, verdict

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600)]
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs/reuse.md").read_text(), re.MULTILINE | re.DOTALL)
STEP = """name: lint
on: {push: {branches: [main]}}
permissions: {}
jobs:
  lint:
    runs-on: ubuntu-24.04-arm
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd
        with: {persist-credentials: false}
"""


def home(sandbox: Sandbox) -> str:
    """The repository `acme/mlbot` with the workflows and the action of this one; its commit."""
    from bot.sandbox import template

    files = {name: data for name, data in template.files(ROOT) if name.startswith(".github/")}
    with sandbox.hub.lock:
        made = sandbox.hub.add_repository("acme/mlbot", path="mlbot.git")
        template.first_commit(sandbox.hub, made, files, sandbox.hub.person("rhea"))
    return sandbox.hub.bare(made).branch("main") or ""


def callers(commit: str) -> dict[str, bytes | None]:
    """What the page tells people to write, with its two placeholders filled."""
    files: dict[str, bytes | None] = {}
    for block in BLOCKS:
        text = block.replace("OWNER/REPO", "acme/mlbot").replace("FULL_COMMIT_ID", commit)
        name = re.match(r"# (\.github/workflows/\S+)", text)
        path, text = (name[1], text) if name else (".github/workflows/lint.yml", STEP + text)
        files[path] = text.encode()
    return files


def test_a_repository_that_only_calls_the_workflows_gets_report_answer_promotion_and_step(tmp_path: Path) -> None:
    with rehearsal(tmp_path / "world", protected=False) as sandbox:
        files = callers(home(sandbox))
        assert {"chatops", "pull-request", "promote", "lint"} <= {Path(name).stem for name in files}
        sandbox.commit("rhea", "main", files, "Call mlbot's workflows")
        ran = {run.file: run.conclusion for run in sandbox.settle()}
        assert ran["lint.yml"] == "success", "the composite action"

        number = sandbox.propose("dana", "note", {"docs/note.md": b"a note\n"}, "A note")
        ran = {run.file: run.conclusion for run in sandbox.settle()}
        assert ran["pull-request.yml"] == "success" and verdict(sandbox, number) == "pending"
        say(sandbox, "dana", number, "/status")
        assert "waits" in bot_said(sandbox, number)[-1] or "peer-review" in bot_said(sandbox, number)[-1]
        approve_by_review(sandbox, "owen", number)
        assert verdict(sandbox, number) == "success"
        say(sandbox, "rhea", number, "/merge")
        assert [(run.file, run.conclusion) for run in sandbox.runs][-1] == ("promote.yml", "success")
