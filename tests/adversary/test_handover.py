"""What a training job hands over counts for its numbers alone, and only as far as it fits the plan that we make."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.pipeline import report_job
from bot.pipeline.handover import HandedOver
from bot.pipeline.job import Job
from bot.pipeline.judge import judge
from bot.pipeline.reuse import gates_digest, known
from bot.plan.step import plan
from bot.records.base import MAX_RECORD_BYTES, canonical_json, sha256
from bot.records.evaluation import Evaluation
from bot.records.event import PullRequestChanged
from bot.records.failure import Failure
from bot.records.ledger import Head
from tests.pipeline.test_train_and_report import SPEC, penalised, text
from tests.pipeline.world import BASE, DANA, NUMBER, World, world

CHURN = "trained/trained-000/churn"
Change = Callable[[Path], None]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an honest run of the training job handed over, as it came."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = world(tmp_path_factory.mktemp("honest"), monkeypatch, head={SPEC: penalised(0.5)})
        kept = made.tmp / "kept"
        made.run(pushed(made), made.next_job(), lambda out: shutil.copytree(out / CHURN, kept) and None)
    return kept


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A pull request that changes one model, whose training job hands over whatever the test says."""
    return world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})


def pushed(made: World) -> PullRequestChanged:
    return PullRequestChanged(
        number=NUMBER, action="synchronize", head_sha=made.sha, base_ref="main", from_fork=False, draft=False,
        sender=DANA,
    )  # fmt: skip


@pytest.fixture
def handed(made: World, honest: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The comment after a run whose training job handed over the honest files, changed by `change` of their folder, or
    by `whole` of all that came.
    """

    def train(self: World, event: Any, one: dict[str, Any], job: Job) -> None:
        if one["model"] == "churn":
            shutil.copytree(honest, job.out / CHURN)

    monkeypatch.setattr(World, "train", train)

    def run(change: Change | None = None, whole: Change | None = None) -> str:
        def both(out: Path) -> None:
            if change is not None:
                change(out / CHURN)
            if whole is not None:
                whole(out)

        made.run(pushed(made), made.next_job(), both)
        return text(made.comment())

    return run


def evaluations(made: World) -> list[Evaluation]:
    found = {path: data for path, data in made.ledger.files.items() if re.fullmatch(r"evaluations/.*\.json", path)}
    return [Evaluation.parse(data, source=path) for path, data in found.items()]


def edited(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """The evaluation with other fields."""
    file = folder / "evaluation.json"
    record = json.loads(file.read_text())
    change(record)
    file.write_text(json.dumps(record))


def record(change: Callable[[dict[str, Any]], Any]) -> Change:
    return lambda folder: edited(folder, change)


def other_bytes(folder: Path) -> None:
    """Another model, with a record that agrees with it."""
    data = b"NOT THE TRAINED MODEL"
    (folder / "model.skops").write_bytes(data)

    def agree(found: dict[str, Any]) -> None:
        for file in found["training"]["files"]:
            if file["name"] == "model.skops":
                file |= {"sha256": sha256(data), "size": len(data)}
        found["training"]["artifact_digest"] = sha256(data)

    edited(folder, agree)


def measured(found: dict[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = found["measured"]
    return part


def test_an_honest_result_is_kept_and_says_what_its_training_job_said(
    made: World, honest: Path, handed: Callable[..., str]
) -> None:
    """Gates and verdict are made again, and come out the same."""
    said = handed()
    (kept,) = evaluations(made)
    theirs = Evaluation.parse((honest / "evaluation.json").read_bytes(), source="")
    assert "is refused" not in said
    assert (kept.gates, kept.verdict, kept.metrics, kept.comparisons, kept.slices, kept.sections, kept.budget) == (
        theirs.gates, theirs.verdict, theirs.metrics, theirs.comparisons, theirs.slices, theirs.sections, theirs.budget,
    )  # fmt: skip
    assert kept.gates and kept.run["id"] == made.runs


def test_the_verdict_is_made_from_the_numbers_and_not_from_what_is_said_of_them(
    made: World, handed: Callable[..., str]
) -> None:
    def lie(found: dict[str, Any]) -> None:
        measured(found)["estimates"]["roc_auc"] |= {"value": 0.5, "low": 0.48, "high": 0.52}
        for gate in found["gates"]:
            gate |= {"verdict": "pass", "blocks": False, "reason_code": "gate_passed", "sentence": "Fine."}
        found |= {"verdict": "pass"}
        for metric in found["metrics"]:
            metric |= {"value": 0.99999, "low": 0.9999, "high": 1.0}

    said = handed(record(lie))
    (kept,) = evaluations(made)
    assert kept.verdict == "fail" and kept.gates[0].verdict == "fail" and "Fine." not in said
    assert next(one.value for one in kept.metrics if one.name == "roc_auc") == 0.5 and "0.99999" not in said


def with_champion(found: dict[str, Any]) -> None:
    """As if something were live in production, and were no better."""
    theirs = {"artifact_digest": "sha256:" + "1" * 64, "n_differ": 0, "operating": {}}
    measured(found)["baselines"].update(production=theirs)
    kept = [one for one in found["missing_baselines"] if one["environment"] != "production"]
    found["missing_baselines"] = kept


REFUSED: dict[str, Change] = {
    "no gates": record(lambda found: found.update(gates=[])),
    "a gate less": record(lambda found: found["gates"].pop()),
    "a gate more": record(lambda found: found["gates"].append({**found["gates"][0], "gate": "mine"})),
    "another policy": record(lambda found: found.update(policy_digest="sha256:" + "0" * 64)),
    "no numbers": record(lambda found: found.pop("measured")),
    "another model's name": record(lambda found: found.update(model="value")),
    "another model's name below": record(lambda found: found["training"].update(model="value")),
    "other inputs": record(lambda found: found["training"].update(inputs_digest="sha256:" + "0" * 64)),
    "other data": record(lambda found: found["training"]["data_files"][0].update(md5="0" * 32)),
    "fewer data": record(lambda found: found["training"].update(data_files=[])),
    "another estimator": record(lambda found: found["training"].update(estimator="DummyClassifier")),
    "another target": record(lambda found: found["training"].update(target="age")),
    "other parameters": record(lambda found: found["training"]["parameters"].update(C=99)),
    "other libraries": record(lambda found: found["training"]["machine"]["packages"].update(numpy="0.1")),
    "other test rows": record(lambda found: found.update(n_test=10_000)),
    "no comparison with an environment": record(lambda found: found.update(missing_baselines=[])),
    "an environment that is not empty": record(
        lambda found: [one.update(code="not_scored") for one in found["missing_baselines"]]
    ),
    "a baseline of its own": record(
        lambda found: measured(found)["baselines"].update(
            mine={"artifact_digest": None, "n_differ": 0, "operating": {}}
        )
    ),
    "a champion that is not live": record(lambda found: with_champion(found)),
    "a metric that nobody knows": record(lambda found: measured(found)["metrics"].append("best_of_all")),
    "a number that is none": record(lambda found: measured(found)["estimates"]["roc_auc"].update(value=float("inf"))),
    "a word for a number": record(lambda found: measured(found)["estimates"]["roc_auc"].update(value="high")),
    "a key that nobody knows": record(lambda found: measured(found)["estimates"]["roc_auc"].update(mood="good")),
    "bytes that were not evaluated": lambda folder: (folder / "model.skops").write_bytes(b"another model") and None,
    "a size that is not so": record(lambda found: found["training"]["files"][0].update(size=1)),
    "golden rows of another model": lambda folder: (folder / "golden.json").write_text(
        (folder / "golden.json").read_text().replace('"model":"churn"', '"model":"value"')
    ) and None,
    "golden rows that are not checked": other_bytes,
    "a file that no training writes": record(
        lambda found: found["training"]["files"].append({"name": "more.bin", "sha256": sha256(b""), "size": 0})
    ),
    "a file of another folder": record(
        lambda found: found["training"]["files"][0].update(name="../churn/model.skops")
    ),
    "the same file twice": record(lambda found: found["training"]["files"].append(found["training"]["files"][0])),
    "an ONNX file that is not said": record(lambda found: found["training"].update(onnx="failed")),
    "a record of nine megabytes": record(lambda found: found["sections"].append({"id": "x" * 9_000_000})),
    "no JSON": lambda folder: (folder / "evaluation.json").write_text('{"schema_version": 1, "verdict": NaN}') and None,
    "a failure that is none": lambda folder: (folder / "failure.json").write_text('{"message": 1}') and None,
    "a folder": lambda folder: (folder / "inner").mkdir(),
}  # fmt: skip


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_fit_is_refused_and_nothing_of_it_is_kept(
    made: World, handed: Callable[..., str], change: Change
) -> None:
    said = handed(change)
    assert "What the training job handed over is refused" in said
    assert evaluations(made) == [] and made.artifacts.folders == {}


@pytest.mark.parametrize("name", ["model.skops", "leak"])
def test_links_are_not_followed(made: World, tmp_path: Path, handed: Callable[..., str], name: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the key")

    def link(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(secret)

    assert "is refused" in handed(link)
    assert made.artifacts.folders == {}


def test_a_result_of_another_run_is_no_result_of_this_one(made: World, handed: Callable[..., str]) -> None:
    """Of another spec: the honest files are those of the first head."""
    made.push(**{SPEC: penalised(0.1)})
    assert "other inputs than were planned" in handed()


def test_only_what_was_checked_goes_to_the_store(made: World, handed: Callable[..., str]) -> None:
    """The model card and training.json beside the artifact are written by us."""

    def dress(folder: Path) -> None:
        (folder / "README.md").write_text("![x](https://evil.example/beacon.png)")
        (folder / "training.json").write_text("{}")
        (folder / "more").write_text("more")

    handed(dress)
    (kept,), (stored,) = evaluations(made), made.artifacts.folders.values()
    assert set(stored) == {file.name for file in kept.training.files} | {"training.json", "README.md"}
    assert stored["training.json"] == kept.training.canonical() and b"evil" not in stored["README.md"]


def test_a_job_answers_for_the_models_that_it_was_asked_for_alone(made: World, handed: Callable[..., str]) -> None:
    """`value` is not in this run's matrix: a folder of it, in whose artifact ever, is not looked at."""

    def more(out: Path) -> None:
        for shard in ("trained-000", "trained-001", "trained-999"):
            shutil.copytree(out / CHURN, out / "trained" / shard / "value", dirs_exist_ok=True)
        shutil.copytree(out / CHURN, out / "trained" / "value")

    handed(whole=more)
    assert {one.model for one in evaluations(made)} == {"churn"}


def test_no_artifact_stands_in_for_that_of_another_job(tmp_path: Path, made: World, honest: Path) -> None:
    job = made.next_job()
    shutil.copytree(honest, job.out / "trained/trained-000/value")
    shutil.copytree(honest, job.out / "trained/trained-000/churn")
    over = HandedOver(job, made.sha, {"churn": "000", "value": "001"})
    assert over.folder("churn") and over.folder("value") is None


def moved(entry: str, text: str) -> Change:
    def change(out: Path) -> None:
        found = json.loads((out / "plan.json").read_text())
        found["entries"][0][entry] = text
        (out / "plan.json").write_text(json.dumps(found))

    return change


@pytest.mark.parametrize(
    "change",
    [
        moved("inputs_digest", "sha256:" + "0" * 64),
        moved("runner", "mine"),
        lambda out: (out / "matrix.json").write_bytes(canonical_json({"include": []})),
        lambda out: (out / "plan.json").write_text("{}"),
    ],
    ids=["inputs", "runner", "matrix", "empty"],
)
def test_a_plan_that_is_not_that_of_this_run_s_plan_job_is_refused(
    made: World, handed: Callable[..., str], change: Change
) -> None:
    """Each job of a run could replace what another has handed over."""
    with pytest.raises(UserError) as caught:
        handed(whole=change)
    assert caught.value.code == "plan_differs" and made.ledger.files == {}


def test_without_the_plan_job_s_word_nothing_is_taken_over(made: World, handed: Callable[..., str]) -> None:
    handed()
    with pytest.raises(UserError) as caught:
        report_job.run(pushed(made), replace(made.job(), inputs={}))
    assert caught.value.code == "plan_differs"


@pytest.mark.parametrize("failure", [{"message": "x" * 7_000_000}, {"message": "x", "log_tail": "y" * 7_000_000}])
def test_a_failure_has_a_size(made: World, handed: Callable[..., str], failure: dict[str, str]) -> None:
    """What the ledger keeps of it, so that the pull request can be judged for ever after."""
    handed(lambda folder: (folder / "failure.json").write_text(json.dumps(failure)) and None)
    assert max(map(len, made.ledger.files.values())) < 100_000
    judge(NUMBER, "merge", made.job())
    made.push(**{SPEC: penalised(0.7)})
    judge(NUMBER, "merge", made.job())


def test_a_huge_failure_is_refused_unread(made: World, handed: Callable[..., str]) -> None:
    def huge(folder: Path) -> None:
        (folder / "failure.json").write_text(json.dumps({"message": "x" * 20_000_000}))

    assert "too large" in handed(huge)
    assert max(map(len, made.ledger.files.values())) < 100_000


def test_thousands_of_failures_make_a_head_that_can_be_read_again(made: World) -> None:
    job = made.next_job()
    planned = plan(BASE, made.sha, job.ports)
    one = planned.planned[0]
    many = tuple(one.model_copy(update={"model": f"m{n:04d}"}) for n in range(4000))
    results = {each.model: Failure(message="m" * 1500, hint="h" * 1500, log_tail="l" * 2500) for each in many}
    over = HandedOver(job, made.sha, {})
    head = report_job._head(NUMBER, planned.model_copy(update={"entries": many}), results, 1, over)
    data = head.canonical()
    assert len(data) <= MAX_RECORD_BYTES and len(Head.parse(data, source="").failures) == 4000


def test_what_one_pull_request_forged_is_not_what_another_is_given(made: World, handed: Callable[..., str]) -> None:
    handed(record(lambda found: found.update(gates=[], verdict="pass")))
    job = made.job()
    (one,) = plan(BASE, made.sha, job.ports).planned
    assert known(one, job.ports) is None
    handed()
    stored = known(one.model_copy(update={"known_evaluation": evaluations(made)[0].digest()}), job.ports)
    assert stored is not None and stored.gates and stored.policy_digest == gates_digest(job)
