"""`mlbot init` makes a repository that works, and never changes what is there."""

from __future__ import annotations

import subprocess
import tomllib

import pytest
from packaging.specifiers import SpecifierSet

from bot.adapters.git import LocalGit
from bot.cli import run
from tests.real_data import ROOT

CSV = "id,age,city,left\n" + "".join(
    f"{n},{20 + n % 40},{'AB'[n % 2]},{['no', 'yes'][n % 3 == 0]}\n" for n in range(60)
)


def git(folder, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    (folder / "data").mkdir()
    (folder / "data/churn.csv").write_text(CSV)
    assert run(["init", str(folder), "--data", "data/churn.csv", "--target", "left"]) == 0
    return folder


def test_what_it_writes_is_valid_and_can_be_planned(made, capsys, monkeypatch):
    monkeypatch.chdir(made)
    assert run(["validate"]) == 0
    git(made, "add", "-A")
    git(made, "commit", "-qm", "first")
    assert run(["plan", "--all"]) == 0
    assert "evaluate  churn" in capsys.readouterr().out
    assert LocalGit(made).entries("HEAD")["data.dvc"].kind == "blob"
    assert "data" not in LocalGit(made).entries("HEAD"), "data are tracked by DVC, not by Git"


def test_it_finds_out_what_it_can(made):
    text = (made / "models/churn/model.yaml").read_text()
    assert "task: binary" in text
    assert "row_id: id" in text
    assert "isin:\n    - A\n    - B" in (made / "models/churn/schema.yaml").read_text()


def test_a_second_run_changes_nothing(made, capsys):
    roles = (made / "policies/roles.yaml").read_text()
    (made / "policies/roles.yaml").write_text("mine")
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file() and ".git/" not in str(path)}
    assert run(["init", str(made)]) == 0
    assert "kept    policies/roles.yaml" in capsys.readouterr().out
    after = {path: path.read_bytes() for path in made.rglob("*") if path.is_file() and ".git/" not in str(path)}
    assert before == after
    (made / "policies/roles.yaml").write_text(roles)


def test_workflows_are_those_of_this_repository_but_not_its_own_tests(made):
    ours = {path.name for path in (ROOT / ".github/workflows").glob("*.yml")}
    assert {path.name for path in (made / ".github/workflows").glob("*.yml")} == ours - {"ci.yml", "arm64.yml"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "data/churn.csv"], "go together"),
        (["--data", "data/none.csv", "--target", "left"], "data/none.csv is not there"),
        (["--data", "../churn.csv", "--target", "left"], "lies outside the repository"),
        (["--data", "data/notes.doc", "--target", "left"], "does not end in .parquet"),
        (["--data", "data/churn.csv", "--target", "lef"], "Did you mean `left`?"),
    ],
)
def test_what_cannot_be_drafted_is_a_clear_error(tmp_path, capsys, arguments, message):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/churn.csv").write_text(CSV)
    (tmp_path / "data/notes.doc").write_text("words")
    assert run(["init", str(tmp_path), *arguments]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"], "it is judged before anything is written"
    assert message in capsys.readouterr().err


def test_the_project_takes_the_versions_of_python_that_mlbot_takes(made):
    wanted = SpecifierSet(tomllib.loads((made / "pyproject.toml").read_text())["project"]["requires-python"])
    ours = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])
    assert wanted == ours
