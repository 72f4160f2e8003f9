"""Another run trains what was evaluated, and says whether it comes to the same; only then goes what must be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.decide.case import Case, Scope
from bot.decide.conditions import verification
from bot.errors import UserError, WorldError
from bot.pipeline import choose_job, compare_job, reproduce_job
from bot.pipeline.judge import judge
from bot.records.evaluation import Evaluation
from bot.records.event import Account, Dispatched, Event, Scheduled
from bot.records.reproduction import Reproduction
from bot.specs.policies.environments import Environment, VerificationRule
from bot.specs.policies.training import TrainingPolicy
from tests.fakes.conversation import BOT
from tests.pipeline.test_train_and_report import SPEC, penalised
from tests.pipeline.world import NUMBER, World, world

pytestmark = pytest.mark.slow
OWEN, EVE = Account(id=1002, login="owen"), Account(id=6666, login="eve")
ASKED = Dispatched(workflow="reproduce", inputs={"number": str(NUMBER)}, sender=BOT)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Evaluated once."""
    with pytest.MonkeyPatch.context() as patch:
        made = world(tmp_path_factory.mktemp("world"), patch, head={SPEC: penalised(0.5)})
        made.evaluate()
        return made


@pytest.fixture
def made(evaluated: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world of its own, with the same ledger."""
    found = world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})
    found.ledger.files, found.artifacts = dict(evaluated.ledger.files), evaluated.artifacts
    found.ledger.commits, found.runs = list(evaluated.ledger.commits), 200
    found.people["eve"] = (6666, "write")
    for module in (reproduce_job, compare_job):
        monkeypatch.setattr(module, "at_head", lambda job, number, sha: job)
    return found


def again(made: World, change: Callable[[Path], None] = lambda _: None, event: Event = ASKED) -> list[Reproduction]:
    """The three jobs of reproduce.yml; `change` is done to each folder that was handed over."""
    job, outputs = made.next_job(), dict[str, str]()
    choose_job.run(event, replace(job, set_output=outputs.__setitem__))
    for one in json.loads(outputs["matrix"])["include"]:
        out = made.tmp / f"{job.out.name}-{one['shard']}"
        out.mkdir()
        shutil.copy(job.out / "plan.json", out)
        try:
            reproduce_job.run(event, replace(job, out=out, inputs={"model": one["model"]}))
        except UserError as error:
            made.said.append(str(error))
        for folder in (one for one in out.iterdir() if one.is_dir()):
            change(folder)
            shutil.copytree(folder, job.out / "trained" / f"trained-{one['shard']}" / folder.name)
    try:
        compare_job.run(event, replace(job, inputs={"plan_digest": outputs["digest"]}))
    except UserError as error:
        made.said.append(str(error))
    return facts(made)


def facts(made: World) -> list[Reproduction]:
    return [Reproduction.parse(made.ledger.files[path], source=path) for path in made.ledger.paths("reproductions/")]


def rewritten(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        path = folder / "evaluation.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_bytes(Evaluation.model_validate(content).canonical())

    return act


def condition(made: World, wanted: int = 1) -> str:
    """Reason code of the environment's condition."""
    judged = judge(NUMBER, "merge", made.job())
    (model,) = judged.facts.models
    rule = VerificationRule(reproduced=wanted)
    found = verification.judge(
        Environment(promoters=("release-manager",), verification=rule), Scope(model), judged.case
    )
    assert found is not None and isinstance(judged.case, Case)
    return found.reason_code


def test_a_run_that_comes_to_the_same_is_a_fact_that_names_run_runner_and_architecture(made: World) -> None:
    assert condition(made) == "reproduction_missing"
    (found,) = again(made)
    assert (found.outcome, found.runner) == ("same", "ubuntu-22.04-arm"), found.sentence
    assert found.run["id"] == made.runs and found.architecture and found.artifact_digest
    assert condition(made) == "approved" and condition(made, 2) == "reproduction_missing"
    comment = next(one.body for one in made.talk.comments_ if one.body.startswith(compare_job.MARK))
    assert "the same" in comment and "@" not in comment


def flat_lie(content: dict[str, Any]) -> None:
    content["metrics"][0]["value"] = 0.99


def hidden_lie(content: dict[str, Any]) -> None:
    """What a gate looks at, and no metric of the report shows."""
    content["measured"]["estimates"][content["metrics"][0]["name"]]["low"] = 0.5


def other_threshold(content: dict[str, Any]) -> None:
    content["training"]["threshold"] = 0.123


@pytest.mark.parametrize("lie", [flat_lie, hidden_lie, other_threshold], ids=lambda one: one.__name__)
def test_a_difference_rejects_the_evaluation_and_calls_the_release_role(
    made: World, lie: Callable[[dict[str, Any]], None]
) -> None:
    """Whichever of the two runs lied: nobody knows, so nothing goes out."""
    (found,) = again(made, rewritten(lie))
    assert found.outcome == "differs" and any("not reproduced: churn" in one for one in made.said)
    judged = judge(NUMBER, "merge", made.job())
    assert judged.decision.status == "rejected" and "Run 201 on ubuntu-22.04-arm" in judged.decision.model_dump_json()
    comment = next(one.body for one in made.talk.comments_ if one.body.startswith(compare_job.MARK))
    assert "@rhea please look" in comment
    again(made)
    assert judge(NUMBER, "merge", made.job()).decision.status == "rejected", "a third run outvotes nobody"


def test_another_model_file_is_a_difference(made: World) -> None:
    def change(folder: Path) -> None:
        (folder / "model.skops").write_bytes(b"NOT THE TRAINED MODEL")

    (found,) = again(made, change)
    assert found.outcome == "differs" and "model.skops is not the file" in found.sentence


def test_no_result_teaches_nothing(made: World) -> None:
    def change(folder: Path) -> None:
        for path in folder.iterdir():
            path.unlink()
        (folder / "failure.json").write_text('{"message": "out of memory"}')

    (found,) = again(made, change)
    assert found.outcome == "failed" and condition(made) == "reproduction_missing"
    assert judge(NUMBER, "merge", made.job()).decision.status != "rejected"


def test_a_remote_that_does_not_answer_is_nobodys_difference(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fact is not written, the job fails, and the next run tries again."""

    def down(*_: Any) -> None:
        raise WorldError("the remote does not answer")

    monkeypatch.setattr(made.artifacts, "fetch", down)
    with pytest.raises(WorldError):
        again(made)
    assert facts(made) == [] and condition(made) == "reproduction_missing"


def test_the_run_that_evaluated_confirms_nothing_of_its_own(made: World) -> None:
    made.runs = 100
    again(made)
    assert condition(made) == "reproduction_missing" or facts(made)[0].outcome != "same"


@pytest.mark.parametrize(
    ("sender", "inputs", "code"),
    [
        (EVE, {}, "command_not_allowed"),
        (OWEN, {}, ""),
        (OWEN, {"comment_id": "9"}, "comment_named"),
        (OWEN, {"head": "e" * 40}, "evaluation_missing"),
        (OWEN, {"models": "value"}, "no_model"),
        (BOT, {"models": "churn"}, "promoter_missing"),
        (BOT, {"comment_id": "9"}, "not_accepted"),
    ],
)
def test_who_asks_and_for_what(made: World, sender: Account, inputs: dict[str, str], code: str) -> None:
    event = ASKED.model_copy(update={"sender": sender, "inputs": {**ASKED.inputs, **inputs}})
    job = made.next_job()
    try:
        choose_job.run(event, job)
    except UserError as error:
        assert error.code == code
    else:
        assert code == ""


def test_a_schedule_trains_what_is_live_and_nothing_is(made: World) -> None:
    assert again(made, event=Scheduled(schedule="23 3 * * 0")) == []
    assert any("nothing is live" in one for one in made.said)


@pytest.mark.parametrize(
    ("label", "offered", "expected"),
    [
        ("ubuntu-24.04-arm", None, "ubuntu-22.04-arm"),
        ("ubuntu-22.04-arm", None, "ubuntu-24.04-arm"),
        ("gpu-1", ["gpu-*", "gpu-1"], "gpu-1"),
        ("gpu-1", ["gpu-*", "gpu-1", "gpu-2"], "gpu-2"),
    ],
)
def test_it_runs_where_the_first_did_not_when_the_policy_offers_another(
    label: str, offered: list[str] | None, expected: str
) -> None:
    policy = TrainingPolicy.model_validate({"runners": {name: {} for name in offered}} if offered else {})
    assert choose_job.another(label, policy) == expected
