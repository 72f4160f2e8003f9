"""How a verb ends when a library or the machine gives up where nobody expected it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from bot.cli import VERBS, run
from bot.errors import Parts, translated


def of_arrow() -> None:
    import pyarrow.csv

    pyarrow.csv.read_csv(os.devnull)


def of_libgit2() -> None:
    import pygit2

    pygit2.Repository(os.devnull)


def of_dvc() -> None:
    from dvc.exceptions import DvcException

    raise DvcException("no remote")


def of_github() -> None:
    import github

    github.Github(base_url="http://127.0.0.1:9", retry=None).get_repo("a/b")


def of_pygithub() -> None:
    from github import GithubException

    raise GithubException(500, {"message": "Server Error"})


def of_a_full_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def of_mlbot() -> None:
    raise ZeroDivisionError


ENDS = [
    (of_arrow, 1),
    (of_libgit2, 1),
    (of_dvc, 2),
    (of_github, 2),
    (of_pygithub, 2),
    (of_a_full_disk, 2),
    (of_mlbot, 3),
]


@pytest.mark.parametrize(("act", "code"), ENDS, ids=[act.__name__ for act, _ in ENDS])
def test_only_a_defect_of_mlbot_is_called_a_bug_in_mlbot(
    act: Callable[[], None], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bot.cli.Verbs.get_command", lambda *_: click.command()(act))
    assert run([next(iter(VERBS))]) == code
    said = capsys.readouterr().err
    assert ("bug in mlbot" in said) == (code == 3) and ("Traceback" in said) == (code == 3), said
    assert code == 3 or said.startswith("error: ")


def test_where_it_was_is_shown_to_who_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("MLBOT_TRACEBACK", "1")
    monkeypatch.setattr("bot.cli.Verbs.get_command", lambda *_: click.command()(of_dvc))
    assert run([next(iter(VERBS))]) == 2 and "Traceback" in capsys.readouterr().err


def test_a_part_of_a_job_tells_a_library_from_a_defect() -> None:
    parts = Parts()
    for act in (of_a_full_disk, of_mlbot):
        parts.attempt(act.__name__, act)
    assert [(name, error.exit_code, error.code) for name, error in parts.failed] == [
        ("of_a_full_disk", 2, "disk_full"),
        ("of_mlbot", 3, "bug"),
    ]
    assert translated(ValueError("ours")) is None
