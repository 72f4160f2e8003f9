"""A training that never ends: `/cancel` stops it. Here commands begin with `/ml`, and the team's own app answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.adapters.github import GitHub
from bot.adapters.github_app import APP_ID, APP_KEY
from bot.sandbox.world import Sandbox
from tests.stories.world import BIKES, ROOT, bikes, bot_said, rehearsal

pytestmark = [
    pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("cancel"),
]  # fmt: skip
FILE = ".github/workflows/pull-request.yml"


def endless() -> bytes:
    """The real head of the workflow (triggers, name of a run, concurrency), and a job that waits to be stopped."""
    head, _, _ = (ROOT / FILE).read_text().partition("\njobs:\n")
    job = "permissions: {}, runs-on: ubuntu-24.04-arm, steps: [{run: 'echo begun; while true; do sleep 0.1; done'}]"
    return f"{head}\njobs:\n  train: {{{job}}}\n".encode()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    commands = "policies/commands.yaml"
    prefixed = (ROOT / commands).read_bytes().replace(b"prefix: null", b"prefix: ml")
    files = {FILE: endless(), commands: prefixed}
    with rehearsal(tmp_path_factory.mktemp("cancel") / "world", files) as started:
        yield started


def use_an_app(sandbox: Sandbox) -> None:
    """As the threat model recommends: the bot acts as the team's own app, whose key only the default branch has."""
    may = ("contents", "pull-requests", "issues", "statuses", "actions", "deployments")
    number, key, _ = sandbox.add_app("acme-mlbot", dict.fromkeys(may, "write"))
    sandbox.set_secrets("mlbot", {APP_KEY: key})
    sandbox.repo.variables[APP_ID] = str(number)


def test_cancel_stops_the_training_of_its_pull_request_and_nothing_else(sandbox: Sandbox) -> None:
    one = sandbox.propose("dana", "one", {BIKES: bikes(61)}, "#2 is not my number")
    run = sandbox.wait_for("the training", file="pull-request.yml", about=[one])
    sandbox.wait_for_log(run, "begun")
    assert run.title == f"#{one} #2 is not my number"
    use_an_app(sandbox)
    issue = sandbox.github("rhea").get_repo(sandbox.repository).get_issue(one)
    issue.create_comment("/ml cancel")
    sandbox.settle()
    assert run.conclusion == "cancelled"
    assert f"/actions/runs/{run.id}" in bot_said(sandbox, one)[-1]
    assert {one.user.login for one in issue.get_comments()} == {"rhea", "acme-mlbot[bot]"}, "the app has answered"

    issue.create_comment("/ml cancel")
    sandbox.settle()
    assert "nothing_to_cancel" in bot_said(sandbox, one)[-1]

    port = GitHub(api_url=sandbox.api_url, repository=sandbox.repository, token=sandbox.token("rhea"))
    assert not any(run.is_going for run in port.of(one))
    assert not port.cancel(run.id), "it had ended already"
