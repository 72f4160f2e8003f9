"""Pull requests that cannot become a model: each run ends with a report that says why, and a verdict that blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from bot.sandbox.world import Sandbox
from tests.stories.world import BIKES as SPEC
from tests.stories.world import ROOT, rehearsal

pytestmark = [
    pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("refusals"),
]  # fmt: skip


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with rehearsal(tmp_path_factory.mktemp("refusals") / "world") as started:
        yield started


def proposed(
    sandbox: Sandbox, name: str, files: Mapping[str, bytes | None]
) -> tuple[str, dict[str, str], dict[str, str]]:
    """The bot's comment, the statuses and the job results after a pull request with these files."""
    number = sandbox.propose("dana", name, files, name)
    runs = [run for run in sandbox.settle() if run.file == "pull-request.yml"]
    repository = sandbox.github("dana").get_repo(sandbox.repository)
    comments = [one.body for one in repository.get_issue(number).get_comments() if one.user.type == "Bot"]
    head = repository.get_pull(number).head.sha
    statuses = {one.context: one.state for one in repository.get_commit(head).get_combined_status().statuses}
    jobs = {job.name.split("/")[1].split()[0]: job.result for run in runs for job in run.jobs}
    return (comments[0] if comments else ""), statuses, jobs


def spec() -> str:
    return (ROOT / SPEC).read_text()


SCHEMA = SPEC.replace("model.yaml", "schema.yaml")
CASES: dict[str, tuple[dict[str, bytes | None], str]] = {
    "an estimator that nobody knows": (
        {SPEC: spec().replace("HistGradientBoostingRegressor", "HistGradientBostingRegressor").encode()},
        "HistGradientBoostingRegressor",
    ),
    "a spec that is not YAML": ({SPEC: b"task: [regression\n"}, "model.yaml"),
    "a column that only the training can miss": (  # without its data contract, nobody looks before
        {SPEC: re.sub(r"windspeed\]", "windspeeed]", spec()).encode(), SCHEMA: None},
        "windspeeed",
    ),
    "data that the remote does not hold": (
        {"data.dvc": re.sub(r"[0-9a-f]{32}\.dir", "0" * 32 + ".dir", (ROOT / "data.dvc").read_text()).encode()},
        "data",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_report_says_what_is_wrong_and_the_verdict_blocks(sandbox: Sandbox, name: str) -> None:
    files, said = CASES[name]
    comment, statuses, jobs = proposed(sandbox, name.replace(" ", "-"), dict(files))
    assert said in re.sub(r"<[^>]+>|&#\d+;", "", comment), comment[:3000]
    assert statuses["mlbot/verdict"] in ("failure", "error", "pending")
    assert statuses["mlbot/evaluation"] != "success"
    assert jobs["plan"] == jobs["report"] == "success"
    assert jobs.get("train") == ("failure" if name == "a column that only the training can miss" else None), (
        "the report says it"
    )
    sandbox.git("dana", "fetch", "-q", "origin", cwd=sandbox.clone)
    ledger = sandbox.git("dana", "ls-tree", "-r", "--name-only", "origin/mlbot/ledger", cwd=sandbox.clone)
    assert "evaluations/" not in str(ledger), "nothing half-evaluated is kept"
