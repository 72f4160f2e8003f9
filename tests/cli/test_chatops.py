"""`mlbot chatops` says what a comment means, before it is posted."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.cli import run


def test_a_comment_is_printed_as_it_is_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "comment.md"
    file.write_text("Hi\n/ml APPROVE  to production churn\n> /ml merge\n")
    assert run(["chatops", "parse", str(file), "--prefix", "ml"]) == 0
    assert capsys.readouterr().out == "/ml approve churn to production\n"


def test_a_mistake_is_named_with_its_line_and_what_to_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "comment.md"
    file.write_text("Hi\n/aprove\n")
    assert run(["chatops", "parse", str(file)]) == 1
    assert capsys.readouterr().err == f"{file}:2: There is no command `/aprove`.\n  Write: /approve\n"


def test_json_from_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"/status")))
    assert run(["chatops", "parse", "-", "--json"]) == 0
    assert [one["verb"] for one in json.loads(capsys.readouterr().out)["commands"]] == ["status"]


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read_is_named(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "comment.md"
    if content is not None:
        file.write_bytes(content)
    assert run(["chatops", "parse", str(file)]) == 1
    assert str(file) in capsys.readouterr().err


def test_prose_is_no_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "comment.md"
    file.write_text("I can not /approve yet")
    assert run(["chatops", "parse", str(file)]) == 0
    assert capsys.readouterr().out == "no commands\n"


def test_the_list_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    from bot.chatops.grammar import VERBS

    assert run(["chatops", "list"]) == 0
    out = capsys.readouterr().out
    assert all(f"/{verb}" in out for verb in VERBS)
