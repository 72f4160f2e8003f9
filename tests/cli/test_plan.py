"""`mlbot plan` reads Git objects of a clone and prints what a change affects."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import run
from bot.records.plan import Plan
from tests.repositories import Repository

ROOT = Path(__file__).parents[2]
KEPT = ("models/*/model.yaml", "models/*/schema.yaml", "data.dvc", ".dvc/embedded/**/*", ".dvc/config")


@pytest.fixture
def clone(tmp_path, monkeypatch):
    repository = Repository(tmp_path)
    files = [path for pattern in KEPT for path in ROOT.glob(pattern) if path.is_file()]
    repository.commit({path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files})
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_bytes((ROOT / ".dvc/config").read_bytes())
    monkeypatch.chdir(tmp_path)
    return repository


def bikes(old: str, new: str) -> dict[str, str]:
    file = "models/bike-rentals/model.yaml"
    text = (ROOT / file).read_text()
    assert old in text
    return {file: text.replace(old, new)}


def test_the_plan_for_people_and_for_machines(clone, capsys):
    clone.commit(bikes("max_iter: 120", "max_iter: 130"))
    assert run(["plan", "--base", "HEAD~1"]) == 0
    said = capsys.readouterr().out
    assert "evaluate  bike-rentals" in said
    assert "Its spec changed: estimator.parameters.max_iter: 120 -> 130." in said
    assert "skip      flight-delays  Nothing that it reads changed." in said
    assert said.endswith("1 to evaluate, 0 invalid, 2 skipped\n")
    assert run(["plan", "--base", "HEAD~1", "--json"]) == 0
    made = Plan.parse(capsys.readouterr().out.encode(), source="stdout")
    assert [entry.model for entry in made.planned] == ["bike-rentals"]


def test_a_spec_that_cannot_be_read_is_exit_1_with_its_place(clone, capsys):
    clone.commit(bikes("task:", "taks:"))
    assert run(["plan", "--base", "HEAD~1"]) == 1
    assert "INVALID   bike-rentals  models/bike-rentals/model.yaml:2:1: unknown key `taks`" in capsys.readouterr().out


def test_every_model_can_be_asked_for(clone, capsys):
    assert run(["plan", "--all", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)["entries"]
    assert [(entry["model"], entry["kind"]) for entry in entries] == [
        ("accident-severity", "planned"),
        ("bike-rentals", "planned"),
        ("flight-delays", "planned"),
    ]
    assert [file["path"] for file in entries[2]["data_files"]] == [
        "data/flights/2013-01.parquet",
        "data/flights/2013-02.parquet",
    ]


def test_outside_a_repository_the_message_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["plan"]) == 1
    assert "is not in a Git repository" in capsys.readouterr().err


def test_planning_imports_nothing_heavy(clone):
    code = (
        "import sys; from bot.cli import run; assert run(['plan', '--all']) == 0;"
        "heavy = {'sklearn', 'scipy', 'numpy', 'pyarrow', 'dvc', 'github', 'jinja2'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
