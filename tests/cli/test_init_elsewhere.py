"""`mlbot init` in repositories of other shapes: what is there goes on working, what is in the way is named at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import run
from tests.cli.test_init import CSV, git


@pytest.fixture
def team(tmp_path: Path) -> Path:
    root = tmp_path / "team"
    root.mkdir()
    git(root, "init", "-q", "-b", "trunk")
    return root


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", "ours")


def dvc(root: Path, *arguments: str) -> None:
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=root, env=environment, check=True, capture_output=True
    )


def said(root: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["init", str(root), *arguments]) == 0
    return capsys.readouterr().out


def test_a_folder_of_a_repository_is_not_made_one(team, capsys):
    put(team, {"services/lapse/data/a.csv": CSV})
    commit(team)
    assert run(["init", str(team / "services/lapse"), "--data", "data/a.csv", "--target", "left"]) == 1
    assert "is a folder of the repository" in capsys.readouterr().err
    assert not git(team, "status", "--porcelain")


@pytest.mark.parametrize(
    ("rules", "hides"),
    [("/models/\n", ".gitignore:1 /models/"), (".[A-Za-z_]*\n", ".gitignore:1 .[A-Za-z_]*"), ("*.yaml\n", "*.yaml")],
)
def test_what_git_ignores_is_named_with_its_rule_and_the_command_lets_it_in(team, capsys, rules, hides):
    put(team, {".gitignore": rules, "data/churn.csv": CSV})
    text = said(team, capsys, "--data", "data/churn.csv", "--target", "left")
    assert hides in text
    for line in text.splitlines():
        if line.strip().startswith("printf"):
            subprocess.run(line.strip(), shell=True, cwd=team, check=True)
    assert " hides " not in said(team, capsys)
    commit(team)
    held = git(team, "ls-files").split()
    assert {"models/churn/model.yaml", ".dvc/config", ".github/workflows/promote.yml", "data.dvc"} <= set(held)


def test_data_in_git_stay_and_the_commands_that_move_them_work(team, capsys):
    put(team, {"data/churn.csv": CSV})
    commit(team)
    text = said(team, capsys, "--data", "data/churn.csv", "--target", "left")
    assert "data/churn.csv is in Git" in text
    assert git(team, "ls-files", "data") == "data/churn.csv\n"
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith(("git rm", "dvc add")):
            command = line.replace("dvc ", f"{sys.executable} -m dvc ")
            subprocess.run(command, shell=True, cwd=team, check=True, capture_output=True)
    commit(team)
    assert run(["init", str(team)]) == 0
    assert "is in Git" not in capsys.readouterr().out


def test_data_that_dvc_tracks_file_by_file_are_left_as_they_are(team, capsys):
    dvc(team, "init", "-q")
    dvc(team, "remote", "add", "-q", "-d", "web", "https://example.com/data")
    put(team, {"data/letters.csv": CSV})
    dvc(team, "add", "-q", "data/letters.csv")
    commit(team)
    text = said(team, capsys, "--data", "data/letters.csv", "--target", "left")
    assert "can only be read" in text
    assert "dvc remote add mlbot" in text
    assert not git(team, "diff", "HEAD"), "nothing of the team's is changed"
    dvc(team, "status", "-q")


def test_data_of_a_service_are_tracked_where_they_lie(team, capsys):
    put(team, {"services/lapse/data/a b.csv": CSV, "README.md": "ours"})
    said(team, capsys, "--data", str(team / "services/lapse/data/a b.csv"), "--target", "left")
    assert (team / "services/lapse/data/a b.csv.dvc").is_file()
    assert "path: services/lapse/data/a b.csv" in next(team.glob("models/*/model.yaml")).read_text()


def test_a_workflow_of_the_same_name_and_a_project_of_the_teams_own_are_named(team, capsys):
    put(team, {".github/workflows/review.yml": "name: lint\non: [push]\njobs: {}\n", "pyproject.toml": "[project]\n"})
    text = said(team, capsys)
    assert "git mv .github/workflows/review.yml .github/workflows/review-of-ours.yml" in text
    assert "uv add mlbot" in text
    assert text.count("is a workflow of your own") == 1
    assert said(team, capsys).count("is a workflow of your own") == 1


def test_a_dry_run_and_a_refusal_write_nothing(team, capsys):
    put(team, {".gitignore": "/out\r\n", "data/churn.csv": CSV})
    commit(team)
    text = said(team, capsys, "--dry-run", "--data", "data/churn.csv", "--target", "left")
    assert "would write  models/churn/model.yaml" in text
    assert run(["init", str(team), "--data", "data/churn.csv", "--target", "nobody"]) == 1
    assert not git(team, "status", "--porcelain")


def test_line_ends_of_a_file_of_the_teams_stay(team, capsys):
    put(team, {".gitignore": "/out\r\n/tmp"})
    said(team, capsys)
    assert (team / ".gitignore").read_bytes() == b"/out\r\n/tmp\r\n/data\r\n"


def test_the_doctor_looks_at_what_git_holds(team, capsys, monkeypatch):
    put(team, {".gitignore": ".[A-Za-z_]*\n"})
    said(team, capsys)
    git(team, "add", "-A")
    git(team, "commit", "-qm", "mlbot")
    monkeypatch.chdir(team)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    assert run(["doctor"]) == 1
    found = capsys.readouterr().out
    assert "change  files in Git: .gitignore:1 .[A-Za-z_]* hides .dvc/config" in found
    assert "change  people: policies/roles.yaml gives roles to dana#1001" in found
    assert "change  mlbot in the project: uv.lock does not hold mlbot" in found
