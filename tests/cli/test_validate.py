"""`mlbot validate` names every mistake of a folder at once, with file, line, column and hint."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bot.cli import run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "models", tmp_path / "models")
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_this_repository_is_fine(clone, capsys):
    assert run(["validate"]) == 0
    assert capsys.readouterr().out.count(": fine") == 4


def test_all_mistakes_are_named_in_one_run(clone, capsys):
    flights = clone / "models/flight-delays/model.yaml"
    replace(flights, "max_iter: 80", "max_itr: 80")
    replace(flights, "learning_rate: [0.08, 0.12]", "learning_rate: [0.08, -1]")
    replace(flights, "carrier, origin, dest,", "carier, origin, dest,")
    replace(clone / "models/bike-rentals/model.yaml", "task: regression", "task: regresion")
    replace(clone / "models/bike-rentals/schema.yaml", "hr: {dtype: int64", "hr: {dtype: int46")
    assert run(["validate"]) == 1
    said = capsys.readouterr().err
    for text in ("model.yaml:23:16: ", "'carier'", "Did you mean `carrier`?", "max_itr", "`max_iter`"):
        assert text in said
    for text in ("'learning_rate' parameter", "Did you mean `regression`?"):
        assert text in said


def test_an_attestation_beside_a_spec_is_checked_too(clone, capsys):
    file = clone / "models/bike-rentals/attestation.yaml"
    file.write_text('version: 1\ntests:\n  S1: {how: manual, by: ana, date: "2026-01-31"}\n')
    assert run(["validate"]) == 0
    replace(file, "manual", "by hand")
    assert run(["validate"]) == 1
    assert "models/bike-rentals/attestation.yaml:3" in capsys.readouterr().err


def test_json_is_for_machines(clone, capsys):
    replace(clone / "models/bike-rentals/model.yaml", "owner: owen", "ower: owen")
    assert run(["validate", "models/bike-rentals", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["checked"] == ["models/bike-rentals"]
    (error,) = found["errors"]
    assert (error["file"], error["line"], error["column"]) == ("models/bike-rentals/model.yaml", 3, 1)
    assert (error["code"], error["hint"]) == ("spec_invalid", "Did you mean `owner`?")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nowhere"], "is not there"), (["policies/tests"], "is not a model name"), (["models/README"], "is not there")],
)
def test_a_path_that_holds_no_model_is_a_clear_error(clone, capsys, arguments, message):
    (clone / "policies/tests/x").mkdir(parents=True)
    assert run(["validate", *arguments]) == 1
    assert "error:" in capsys.readouterr().err


def test_a_spec_that_is_a_link_is_refused(clone, capsys):
    spec = clone / "models/bike-rentals/model.yaml"
    spec.unlink()
    spec.symlink_to(clone / "models/flight-delays/model.yaml")
    assert run(["validate", "models/bike-rentals"]) == 1
    assert "this is a link" in capsys.readouterr().err


def test_an_empty_folder_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["validate"]) == 1
    assert "mlbot init" in capsys.readouterr().err


def conflicted(clone: Path) -> None:
    ours, theirs = "outs:\n- md5: " + "a" * 32 + ".dir\n", "outs:\n- md5: " + "b" * 32 + ".dir\n"
    markers = f"<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> march\n"
    (clone / "data.dvc").write_text(markers + "  path: data\n")


def lfs_pointer(clone: Path) -> None:
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12\n"
    (clone / "models/bike-rentals/model.yaml").write_text(text)


def lfs_data_pointer(clone: Path) -> None:
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12\n"
    (clone / "data.dvc").write_text(text)


def filtered(clone: Path) -> None:
    """The working file is whole; what Git holds is what the filter made of it."""
    git(
        clone,
        "config",
        "filter.lfs.clean",
        f"printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:{'a' * 64}\\nsize 1\\n'",
    )
    (clone / ".gitattributes").write_text("models/bike-rentals/model.yaml filter=lfs\n")
    (clone / "models/bike-rentals/model.yaml").touch()
    git(clone, "rm", "-q", "--cached", "models/bike-rentals/model.yaml")


def linked_folder(clone: Path) -> None:
    (clone / "models/twin").symlink_to("bike-rentals")


def dangling(clone: Path) -> None:
    (clone / "models/twin").symlink_to("nowhere")


def submodule(clone: Path) -> None:
    git(clone, "init", "-q", "models/twin")
    shutil.copy(clone / "models/bike-rentals/model.yaml", clone / "models/twin/model.yaml")
    shutil.copy(clone / "models/bike-rentals/schema.yaml", clone / "models/twin/schema.yaml")
    git(clone / "models/twin", "add", ".")
    git(clone / "models/twin", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x")


def markers_in_a_spec(clone: Path) -> None:
    spec = clone / "models/bike-rentals/model.yaml"
    spec.write_text(f"<<<<<<< HEAD\n{spec.read_text()}=======\n>>>>>>> march\n")


@pytest.mark.parametrize(
    "spoil",
    [
        conflicted, lfs_pointer, lfs_data_pointer, filtered, linked_folder, dangling, submodule, markers_in_a_spec,
        lambda _clone: None,
    ],
)  # fmt: skip
def test_validate_and_plan_agree_on_what_is_invalid(clone, capsys, spoil):
    shutil.copy(ROOT / "data.dvc", clone / "data.dvc")
    git(clone, "init", "-q", "-b", "main")
    commit(clone, "before")
    spoil(clone)
    commit(clone, "after")
    is_fine = run(["validate", "models"]) == 0
    said = capsys.readouterr()
    run(["plan", "--base", "HEAD~1", "--head", "HEAD", "--json"])
    told = capsys.readouterr()
    plan = json.loads(told.out) if told.out.startswith("{") else {"entries": [{"kind": "invalid"}]}
    is_planned = all(one["kind"] != "invalid" for one in plan["entries"])
    assert is_fine == is_planned == (spoil.__name__ == "<lambda>"), said.err + told.out + told.err


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


def commit(clone: Path, message: str) -> None:
    git(clone, "add", ".")
    git(clone, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "--allow-empty", "-m", message)
