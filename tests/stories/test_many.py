"""A change that affects more models than GitHub lets a matrix have jobs: it is sharded, and one report tells of all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.records.matrix import MAX_JOBS, models_of
from tests.stories.world import BIKES, ROOT, bikes, bot_said, rehearsal, verdict

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(900)]
FILE = ".github/workflows/pull-request.yml"
N = 300


def without_training() -> bytes:
    """The workflow as it is, expressions and all, but for what the steps of its job `train` do."""
    text = (ROOT / FILE).read_text()
    before, train, after = re.split(r"^(?=  train:$|  report:$)", text, flags=re.MULTILINE)
    head = train.partition("    steps:\n")[0]
    return f'{before}{head}    steps:\n      - run: "true"\n\n{after}'.encode()


def test_three_hundred_models_are_sharded_over_the_matrix_and_reported_at_once(tmp_path: Path) -> None:
    models = {f"models/m{index:03d}/model.yaml": bikes(10) for index in range(N)}
    with rehearsal(tmp_path / "world", {FILE: without_training()}) as sandbox:
        number = sandbox.propose("dana", "many", models, "Many models")
        runs = [run for run in sandbox.settle(timeout_s=800) if run.file == "pull-request.yml"]
        assert [run.conclusion for run in runs] == ["success"]
        trained = [job for job in runs[0].jobs if "train" in job.name]
        shards = [models_of(job.matrix["model"]) for job in trained]
        assert len(shards) <= MAX_JOBS and sorted(name for shard in shards for name in shard) == [
            f"m{index:03d}" for index in range(N)
        ]
        (report,) = bot_said(sandbox, number)
        assert len(report) <= 65_536 and "300" in report
        assert verdict(sandbox, number) != "success"


def test_more_runner_labels_than_jobs_are_refused_and_train_nothing(tmp_path: Path) -> None:
    """Each label would need a job of its own."""
    spec = bikes(10).decode()
    models = {
        f"models/m{index:03d}/model.yaml": f"{spec}\nresources: {{runner: runner-{index}}}\n".encode()
        for index in range(N)
    }
    assert "resources:" not in (ROOT / BIKES).read_text()
    base = {FILE: without_training(), "policies/training.yaml": b"runners: {runner-*: {}}\n"}
    with rehearsal(tmp_path / "world", base) as sandbox:
        number = sandbox.propose("dana", "labels", models, "Many runners")
        runs = [run for run in sandbox.settle(timeout_s=300) if run.file == "pull-request.yml"]
        assert [run.conclusion for run in runs] == ["failure"]
        assert {job.name.split("/")[1].split()[0] for job in runs[0].jobs if job.result == "success"} <= {"plan"}
        assert "runner labels; a matrix has at most 256 jobs" in sandbox.folder(runs[0]).joinpath("log.txt").read_text()
        assert verdict(sandbox, number) != "success"
