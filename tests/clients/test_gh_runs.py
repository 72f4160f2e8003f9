"""`gh run` and `gh workflow` against runs of the real Actions engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.sandbox.store import Run
from bot.sandbox.world import Sandbox
from tests.clients.conftest import Gh

Somebody = Callable[[str], Gh]
pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def finished(world: Sandbox) -> Run:
    """A run of hello.yml that is over."""
    workflow = world.github("owen").get_repo(world.repository).get_workflow("hello.yml")
    assert workflow.create_dispatch("main")
    run = world.settle(60)[-1]
    assert run.conclusion == "success", run.problem
    return run


def test_workflow_list_view_and_run(gh: Somebody, world: Sandbox) -> None:
    owen = gh("owen")
    assert "Hello\tactive" in owen("workflow", "list").out
    assert "workflow_dispatch" in owen("workflow", "view", "hello.yml", "--yaml").out
    before = len(world.runs)
    owen("workflow", "run", "hello.yml", "--field", "seconds=0")
    world.settle(60)
    assert [one.event for one in world.runs[before:]] == ["workflow_dispatch"]
    assert "hello.yml" in owen("workflow", "view", "hello.yml").out


def test_run_list_and_view(gh: Somebody, finished: Run) -> None:
    owen = gh("owen")
    listed = owen("run", "list", "--workflow", "hello.yml", "--json", "databaseId,conclusion,event").json
    assert {"databaseId": finished.id, "conclusion": "success", "event": "workflow_dispatch"} in listed
    shown = owen("run", "view", str(finished.id)).out
    assert "greet" in shown and "report" in shown and "careful" in shown  # a job, an artifact, an annotation
    jobs = owen("run", "view", str(finished.id), "--json", "jobs").json["jobs"]
    assert [one["name"] for one in jobs] == ["greet"]


def test_run_view_shows_the_log(gh: Somebody, finished: Run) -> None:
    log = gh("owen")("run", "view", str(finished.id), "--log").out
    [said] = [line for line in log.split("\n") if line.endswith("hello from the runner")]
    assert said.startswith("greet\tSay hello\t20")


def test_run_download_gets_the_artifact(gh: Somebody, finished: Run) -> None:
    owen = gh("owen")
    owen("run", "download", str(finished.id), "--name", "report")
    assert (owen.folder / "report.txt").read_text() == "all is well\n"


def test_run_watch_waits_for_the_end(gh: Somebody, world: Sandbox) -> None:
    owen = gh("owen")
    owen("workflow", "run", "hello.yml", "--field", "seconds=1")
    run = world.wait_for("the dispatched run", status="in_progress")
    assert "✓ greet" in owen("run", "watch", str(run.id), "--interval", "1", "--exit-status").out
    assert run.conclusion == "success"
    world.settle(60)
