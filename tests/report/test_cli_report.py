"""`mlbot report` renders from files alone."""

import json
from pathlib import Path

import pytest

from bot.cli import run
from tests.builders import a_decision, a_plan, an_evaluation


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "out").mkdir()
    made = {
        "out/evaluation.json": an_evaluation().canonical(),
        "plan.json": a_plan().canonical(),
        "decision.json": a_decision().canonical(),
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return {name: tmp_path / name for name in made}


@pytest.mark.parametrize("form", ["terminal", "markdown", "html"])
def test_each_format_shows_the_answer_and_the_next_command(
    files: dict[str, Path], form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, decision = str(files["plan.json"]), str(files["decision.json"])
    given = ["report", str(files["out/evaluation.json"]), "--plan", plan, "--decision", decision, "--format", form]
    assert run(given) == 0
    said = capsys.readouterr().out
    for word in ("churn", "roc_auc", "0.912", "+0.014", "/approve E-abcdefghijklmnop"):
        assert word in said


def test_a_folder_that_evaluate_wrote_is_enough_and_json_is_the_record(files: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "new" / "report.json"
    assert run(["report", str(files["out/evaluation.json"].parent), "--format", "json", "--out", str(out)]) == 0
    assert json.loads(out.read_text())["evaluations"]["churn"] == an_evaluation().model_dump(mode="json")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "nothing to report"),
        (["nowhere.json"], "nowhere.json cannot be read"),
        (["plan.json"], "not a Evaluation record"),
        (["out/evaluation.json", "out"], "two of the files"),
        (["out", "--decision", "plan.json"], "not a Decision record"),
    ],
)
def test_bad_input_names_the_file_and_ends_with_1(
    files: dict[str, Path], tmp_path: Path, given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [word if word.startswith("--") else str(tmp_path / word) for word in given]
    assert run(["report", *paths]) == 1
    assert said in capsys.readouterr().err
