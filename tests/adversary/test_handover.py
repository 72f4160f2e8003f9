"""What a training job hands over is believed only as far as it fits the plan that the report job makes itself."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.pipeline import report_job
from bot.plan.step import plan
from bot.records.event import PullRequestChanged
from tests.pipeline.test_train_and_report import SPEC, penalised, text
from tests.pipeline.world import BASE, DANA, NUMBER, World, world


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A pull request whose first head was trained and reported; its files are in `out-101`."""
    made = world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})
    made.evaluate()
    (stored,) = (data for path, data in made.ledger.files.items() if re.fullmatch(r"evaluations/churn/.*\.json", path))
    (made.job().out / "trained/churn/evaluation.json").write_bytes(
        stored
    )  # as it came, before the report job tidied up
    return made


def report(made: World, spec: bytes, change: Any = None) -> str:
    """The comment after a push of `spec` whose run hands over what the first run made, changed by `change`."""
    first = made.job().out
    made.push(**{SPEC: spec})
    made.runs += 1
    job = made.job()
    shutil.copytree(first, job.out)
    (job.out / "plan.json").write_bytes(plan(BASE, made.sha, job.ports).canonical())
    if change:
        change(job.out / "trained/churn")
    event = PullRequestChanged(
        number=NUMBER, action="synchronize", head_sha=made.sha, base_ref="main", from_fork=False, draft=False,
        sender=DANA,
    )  # fmt: skip
    report_job.run(event, replace(job, inputs={"train_result": "success"}))
    return text(made.comment())


def evaluations(made: World) -> set[str]:
    return {path for path in made.ledger.files if path.startswith("evaluations/")}


def test_a_result_of_another_run_is_no_result_of_this_one(made: World) -> None:
    before = evaluations(made)
    assert "other inputs than were planned" in report(made, penalised(0.1))
    assert evaluations(made) == before


def test_other_bytes_than_the_evaluation_names_are_refused(made: World) -> None:
    def swap(folder: Path) -> None:
        (folder / "model.skops").write_bytes(b"another model")

    made.ledger.files = {path: data for path, data in made.ledger.files.items() if not path.startswith("evaluations/")}
    assert "is not the file that was evaluated" in report(made, penalised(0.5), swap)
    assert evaluations(made) == set()


@pytest.mark.parametrize("what", ["link", "extra", "folder", "huge", "nonsense", "failure"])
def test_crafted_folders_are_refused(made: World, tmp_path: Path, what: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the key")

    def craft(folder: Path) -> None:
        if what == "link":
            (folder / "model.skops").unlink()
            (folder / "model.skops").symlink_to(secret)
        elif what == "extra":
            (folder / "leak").symlink_to(secret)
        elif what == "huge":
            found = json.loads((folder / "evaluation.json").read_text())
            (folder / "evaluation.json").write_text(json.dumps({**found, "sections": ["x" * 9_000_000]}))
        elif what == "folder":
            (folder / "inner").mkdir()
        elif what == "failure":
            (folder / "failure.json").write_text('{"message": 1}')
        else:
            (folder / "evaluation.json").write_text('{"schema_version": 1, "verdict": NaN}')

    made.ledger.files = {path: data for path, data in made.ledger.files.items() if not path.startswith("evaluations/")}
    said = report(made, penalised(0.5), craft)
    assert "is refused" in said
    assert b"the key" not in [data for files in made.artifacts.folders.values() for data in files.values()]


def test_a_plan_that_is_not_ours_is_refused(made: World) -> None:
    job = made.job()
    handed = json.loads((job.out / "plan.json").read_text())
    handed["entries"][0]["inputs_digest"] = "sha256:" + "0" * 64
    (job.out / "plan.json").write_text(json.dumps(handed))
    event = PullRequestChanged(
        number=NUMBER, action="synchronize", head_sha=made.sha, base_ref="main", from_fork=False, draft=False,
        sender=DANA,
    )  # fmt: skip
    with pytest.raises(UserError) as caught:
        report_job.run(event, job)
    assert caught.value.code == "plan_differs"
