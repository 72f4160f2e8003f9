"""`mlbot demo` when a step does not happen, and where it keeps what happened."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.demo import command
from bot.errors import UserError, WorldError
from bot.sandbox.rehearsal.opening import KEPT, fingerprint

CHECKOUT = Path(__file__).parents[2]
BROKEN = """
name: pull-request
on: {pull_request_target: {types: [opened]}}
permissions: {}
jobs:
  plan:
    runs-on: ubuntu-24.04-arm
    steps: [{run: echo all is well}]
  train:
    runs-on: ubuntu-24.04-arm
    needs: plan
    strategy: {matrix: {model: [a, b]}}
    steps: [{run: 'echo "${{ matrix.model }} has no disk"; test ${{ matrix.model }} = a'}]
  report:
    runs-on: ubuntu-24.04-arm
    needs: train
    if: always()
    steps: [{run: echo reported}]
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """What a team's repository would hold, in a plain folder."""
    into = tmp_path / "template"
    for name in (*KEPT, "models/"):
        source = CHECKOUT / name
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        copy(source, into / name)
    return into


@pytest.mark.engine
def test_a_workflow_that_fails_ends_the_story_with_the_log_of_the_job_that_failed(
    template: Path, tmp_path: Path
) -> None:
    """And the folder stays for a look; it is not taken up again."""
    (template / ".github/workflows/pull-request.yml").write_text(BROKEN)
    line = ["--dir", str(tmp_path / "demo"), "--template", str(template)]
    done = CliRunner().invoke(command, line)
    assert isinstance(done.exception, WorldError), done.output
    said = str(done.exception)
    assert "pull-request ended with failure" in said and "b has no disk" in said
    assert "reported" not in said and "all is well" not in said
    assert done.exception.hint is not None and "log.txt" in done.exception.hint
    assert "✗ dana opens a pull request" in done.output
    again = CliRunner().invoke(command, line)
    assert isinstance(again.exception, UserError) and again.exception.code == "broke_off"


def test_a_template_that_changed_gets_a_story_of_its_own(template: Path) -> None:
    before = fingerprint(template)
    assert fingerprint(template) == before
    spec = template / "models/flight-delays/model.yaml"
    spec.write_text(spec.read_text().replace("max_iter: 80", "max_iter: 81"))
    assert fingerprint(template) != before
