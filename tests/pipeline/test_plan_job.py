"""Which pull request trains what: drafts, forks, stale heads and closed ones wait for somebody to ask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.pipeline import plan_job
from bot.records.event import Dispatched, Event, PullRequestChanged
from bot.records.matrix import models_of
from tests.pipeline.test_train_and_report import SPEC, penalised
from tests.pipeline.world import DANA, NUMBER, World, world

OTHER = "models/value/model.yaml"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Both models change."""
    monkeypatch.setattr(plan_job, "at_head", lambda job, number, sha: job)
    head = {SPEC: penalised(0.5), OTHER: penalised(0.5).replace(b"[age, spend]", b"[age]")}
    return world(tmp_path, monkeypatch, head=head)


def pushed(sha: str) -> PullRequestChanged:
    return PullRequestChanged(
        number=NUMBER, action="synchronize", head_sha=sha, base_ref="main", from_fork=False, draft=False, sender=DANA
    )


def dispatched(**inputs: str) -> Dispatched:
    return Dispatched(workflow="pull-request.yml", inputs={"number": str(NUMBER), **inputs}, sender=DANA)


def trained(made: World, event: Event, **pull: Any) -> list[str]:
    """Models in the matrix, when the pull request is as `pull` says."""
    made.runs += 1
    job, outputs = made.job(), dict[str, str]()
    github: Any = job.ports.pull_requests
    github.pulls[NUMBER] = replace(github.pulls[NUMBER], **pull)
    job.out.mkdir()
    plan_job.run(event, replace(job, set_output=outputs.__setitem__))
    found = [name for one in json.loads(outputs["matrix"])["include"] for name in models_of(one["model"])]
    assert outputs["any"] == ("true" if found else "false") and (job.out / "plan.json").is_file()
    return found


def test_a_push_trains_what_it_affects(made: World) -> None:
    assert trained(made, pushed(made.sha)) == ["churn", "value"]


@pytest.mark.parametrize("pull", [{"draft": True}, {"from_fork": True}, {"state": "closed"}])
def test_a_push_to_what_must_wait_trains_nothing(made: World, pull: Mapping[str, Any]) -> None:
    assert trained(made, pushed(made.sha), **pull) == []


def test_an_event_of_an_older_head_trains_nothing(made: World) -> None:
    assert trained(made, pushed("e" * 40)) == []


@pytest.mark.parametrize(
    ("pull", "inputs", "models"),
    [
        ({"draft": True}, {}, ["churn", "value"]),
        ({"from_fork": True}, {}, []),
        ({"from_fork": True}, {"head": "e" * 40}, []),
        ({"from_fork": True}, {"head": "1" * 40}, ["churn", "value"]),
        ({}, {"models": "val*"}, ["value"]),
    ],
)
def test_a_dispatch_trains_what_it_names(
    made: World, pull: Mapping[str, Any], inputs: Mapping[str, str], models: list[str]
) -> None:
    """A fork's head by its full commit id only; and only while it is the live one."""
    assert trained(made, dispatched(**inputs), **pull) == models


@pytest.mark.parametrize(
    ("pull", "inputs", "code"),
    [
        ({"state": "closed"}, {}, "closed"),
        ({}, {"models": "nothing"}, "no_model"),
        ({}, {"number": "08"}, "no_number"),
    ],
)
def test_a_dispatch_of_what_is_not_there_is_an_error(
    made: World, pull: Mapping[str, Any], inputs: Mapping[str, str], code: str
) -> None:
    with pytest.raises(UserError) as caught:
        trained(made, dispatched(**inputs), **pull)
    assert caught.value.code == code


def test_the_same_inputs_are_trained_once_and_again_when_somebody_asks(made: World) -> None:
    made.evaluate()
    assert trained(made, pushed(made.sha)) == []
    assert trained(made, dispatched()) == []
    assert trained(made, dispatched(models="*")) == ["churn", "value"]
