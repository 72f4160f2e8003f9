"""`mlbot evaluate` as a user calls it, on a small model that `mlbot train` made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest

from bot.cli import run
from bot.records.evaluation import Evaluation
from bot.records.training import Training
from bot.specs.split import split_rows
from tests.evaluate.worlds import SPEC, a_spec, a_table
from tests.promote.world import RealStore, World, git

GATES = b"""version: 1
gates:
  - {id: not_worse, kind: non_inferiority, against: production, margin: 0.02}
  - {id: better_than_dummy, kind: superiority, against: dummy}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    for folder in ("models/churn", "data", "policies"):
        (root / folder).mkdir(parents=True)
    (root / "models/churn/model.yaml").write_bytes(SPEC)
    (root / "policies/gates.yaml").write_bytes(GATES)
    pyarrow.parquet.write_table(a_table(1200), root / "data/churn.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert run(["train", "churn", "--out", "artifact"]) == 0
    return root


@pytest.fixture
def here(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(project, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def test_it_prints_tables_and_writes_the_record(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "artifact", "--test"]) == 0
    said = capsys.readouterr()
    shown = said.out
    assert "churn: pass on" in shown and "No model is deployed to production yet." in shown
    assert "test rows" in shown and "this look is not counted" in said.err
    record = Evaluation.parse((here / "artifact/evaluation.json").read_bytes(), source="evaluation.json")
    assert record.digest() in shown and record.model == "churn" and record.n_test == record.training.n_test
    assert {section.id for section in record.sections} >= {"train_test_overlap", "ml_test_score", "group_gaps", "rows"}


def test_the_test_rows_stay_unseen_until_they_are_asked_for(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is written into the targets of the test rows changes nothing that is said."""

    def shown() -> str:
        assert run(["evaluate", "artifact"]) == 0
        said = capsys.readouterr()
        assert "rows of a validation fold" in said.out and "The test rows were not looked at" in said.err
        assert "Uses of these test rows" not in said.out
        return said.out.partition("measured")[0]

    flip = {"yes": "no", "no": "yes"}
    before, spec = shown(), a_spec()
    table = a_table(1200)
    test = split_rows(spec, table)[1]
    flipped = [
        flip[value] if is_test else value for value, is_test in zip(table["left"].to_pylist(), test, strict=True)
    ]
    place = table.column_names.index("left")
    pyarrow.parquet.write_table(table.set_column(place, "left", pyarrow.array(flipped)), "data/churn.parquet")
    assert shown() == before
    assert run(["evaluate", "artifact", "--test"]) == 1, "the test rows say otherwise by now"


def test_against_itself_nothing_differs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree("artifact", "deployed")
    assert run(["evaluate", "artifact", "--baseline", "production=deployed", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    production = [one for one in found["comparisons"] if one["baseline"] == "production"]
    assert production and all((one["difference"], one["n_differ"]) == (0, 0) for one in production)
    assert found["policy_digest"].startswith("sha256:")


def test_a_deployed_model_whose_bytes_changed_blocks(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree("artifact", "deployed")
    with Path("deployed/model.skops").open("ab") as file:
        file.write(b"x")
    assert run(["evaluate", "artifact", "--baseline", "production=deployed"]) == 1
    assert "is not the file that was trained" in capsys.readouterr().out


def test_a_contract_beside_the_spec_is_checked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract = "columns:\n  age: {dtype: float64, nullable: false, checks: {less_than: 45}}\n"
    Path("models/churn/schema.yaml").write_text(contract)
    Path("policies/gates.yaml").write_bytes(GATES + b"  - {id: contract, kind: data_contract}\n")
    assert run(["evaluate", "artifact"]) == 1
    shown = capsys.readouterr().out
    assert "contract" in shown and "FAIL" in shown and "do not fit" in shown


def test_rows_that_need_a_label_are_listed_without_any_target(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second model has another threshold: rows between the two are what they differ on."""
    shutil.copytree("artifact", "deployed")
    there = json.loads(Path("deployed/training.json").read_text())
    Path("deployed/training.json").write_text(json.dumps({**there, "threshold": 0.7}))
    pyarrow.csv.write_csv(a_table(200, seed=9).drop_columns(["left"]), "new.csv")
    words = ["evaluate", "artifact", "--baseline", "production=deployed", "--to-label"]
    assert run([*words, "new.csv"]) == 0
    shown = capsys.readouterr()
    ids = shown.out.split()
    assert 5 < len(ids) < 100 and set(ids) <= set(map(str, range(200)))
    assert f"the two differ on {len(ids)} of 200 rows" in shown.err
    pyarrow.csv.write_csv(a_table(20).drop_columns(["age"]), "short.csv")
    assert run([*words, "short.csv"]) == 1
    assert "'age' is not there" in capsys.readouterr().err
    assert run(["evaluate", "artifact", "--to-label", "new.csv"]) == 1
    assert "--baseline" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "nowhere"], "does not exist"),
        (["evaluate", "data"], "training.json"),
        (["evaluate", "artifact", "--baseline", "production"], "not a baseline: production"),
        (["evaluate", "artifact", "--gates", "none.yaml"], "none.yaml: cannot be read"),
        (["evaluate", "artifact", "--models", "data"], "model.yaml: cannot be read"),
        (["evaluate", "artifact", "--data", "models"], "data/churn.parquet"),
    ],
)
def test_bad_input_is_told_apart_from_a_bug(here: Path, capsys: pytest.CaptureFixture[str], words, said: str) -> None:
    assert run(words) == 1
    assert said in capsys.readouterr().err


def test_data_that_changed_since_training_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pyarrow.parquet.write_table(a_table(1300), "data/churn.parquet")
    assert run(["evaluate", "artifact"]) == 1
    assert "train again" in capsys.readouterr().err


def test_a_spec_that_weakens_a_gate_is_refused_with_its_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Path("models/churn/model.yaml").open("a") as file:
        file.write("gates:\n  - {id: not_worse, kind: floor, value: 0.1}\n")
    assert run(["evaluate", "artifact"]) == 1
    assert "models/churn/model.yaml:12:5: the gate `not_worse` is already asked for" in capsys.readouterr().err


def test_in_a_clone_it_is_compared_with_what_is_live(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By origin's branches and the DVC remote, without a word of where; what is not live there is said to be so."""
    world = World(tmp_path)
    training = Training.parse((project / "artifact/training.json").read_bytes(), source="training.json")
    names = ("model.skops", "golden.json", *(["model.onnx"] if training.onnx == "passed" else []))
    git(tmp_path, "clone", "-q", "origin.git", "mine")
    world.artifacts = RealStore(tmp_path / "mine")  # type: ignore[assignment]
    files = {name: (project / "artifact" / name).read_bytes() for name in (*names, "training.json")}
    released = world.let_out(*world.evaluated(training, files))
    shutil.copytree(project, tmp_path / "mine", dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path / "mine")
    assert run(["evaluate", "artifact", "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    live = [one for one in found["comparisons"] if one["baseline"] == released.environment]
    assert live and all(one["baseline_artifact_digest"] == released.artifact_digest for one in live), said.err
    assert [one["environment"] for one in found["missing_baselines"]] == ["staging"]
    git(tmp_path / "mine", "remote", "set-url", "origin", str(tmp_path / "gone"))
    assert run(["evaluate", "artifact", "--json"]) == 0
    assert "compared with what was fetched last" in capsys.readouterr().err
