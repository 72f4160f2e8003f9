"""`/retrain seed=N` looks at another seed beside the report: nothing that it finds can be approved or let out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import MlbotError, UserError
from bot.pipeline.trial import Reseeded, seed_of, with_seed
from bot.records.event import Dispatched
from bot.specs.model import read_model_spec
from tests.pipeline.test_train_and_report import SPEC, penalised
from tests.pipeline.world import CHURN, DANA, NUMBER, World, world


@pytest.mark.parametrize(
    "text",
    [
        CHURN,
        b"seed: 3\n" + CHURN,
        CHURN + b"seed : 3 # as ever\n",
        b"---\n" + CHURN,
        b"# a comment\n" + CHURN.replace(b"\n", b"\r\n"),
    ],
    ids=["none", "first", "last", "document", "windows"],
)
def test_a_spec_with_another_seed_is_the_spec_that_names_it(text: bytes) -> None:
    file = "models/churn/model.yaml"
    expected = read_model_spec(CHURN + b"seed: 7\n", file)
    assert read_model_spec(with_seed(text, 7, file), file) == expected


@pytest.mark.parametrize("text", [b"{task: binary}", b"task: [", b"- a\n"])
def test_a_spec_that_cannot_be_tried_says_so(text: bytes) -> None:
    with pytest.raises(MlbotError):
        with_seed(text, 7, "models/churn/model.yaml")


@pytest.mark.parametrize("text", ["-1", "1e3", "07", "1234567890", "7\n", "٧", "$(id)"])
def test_only_whole_numbers_are_seeds(text: str) -> None:
    with pytest.raises(UserError) as caught:
        seed_of({"seed": text})
    assert caught.value.code == "seed_invalid"


def test_without_a_seed_it_is_no_trial() -> None:
    assert seed_of({}) is None and seed_of({"seed": ""}) is None and seed_of({"seed": "0"}) == 0


def tried(made: World, seed: int) -> list[str]:
    """What the bot says after a trial of `churn`, as the three jobs make it."""
    job = made.next_job()
    git: Any = Reseeded(job.ports.git, made.sha, seed)
    job = replace(job, ports=replace(job.ports, git=git), inputs={"seed": str(seed)})
    inputs = {"number": str(NUMBER), "seed": str(seed), "models": "churn"}
    before = len(made.talk.comments_)
    made.run(Dispatched(workflow="pull-request.yml", inputs=inputs, sender=DANA), job)
    return [one.body for one in made.talk.comments_[before:]]


def test_a_trial_is_told_and_kept_but_decides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})
    report = made.evaluate()
    before = set(made.ledger.files)
    said = tried(made, 7)
    assert (
        len(said) == 1 and said[0].startswith("<!-- mlbot:trial 102 -->\nTrial with seed 7:") and "seed: 7" in said[0]
    )
    assert re.search(r"^\| churn \| roc auc 0\.\d+ \(0\.\d+ to 0\.\d+\) \| roc auc 0\.\d+ ", said[0], re.MULTILINE)
    assert made.comment() == report, "the report is about the spec as it stands"
    new = {path.split("/")[0] for path in set(made.ledger.files) - before}
    assert new == {"evaluations", "testsets", "parties"}, (
        "no head, no plan and no decision: there is nothing to approve"
    )

    made.push(**{SPEC: penalised(0.5) + b"seed: 7\n"})
    trained = len(list(tmp_path.rglob("training.json")))
    made.evaluate()
    assert len(list(tmp_path.rglob("training.json"))) == trained, "written into the spec, it is not trained again"
