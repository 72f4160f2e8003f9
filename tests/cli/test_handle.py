"""`mlbot handle` outside and inside Actions: what it cannot do it says, and writes nothing."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.cli import run

PAYLOADS = Path(__file__).parents[1] / "payloads"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone of an empty origin with one commit."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(tmp_path / "origin.git")], check=True)
    path = tmp_path / "checkout"
    subprocess.run(["git", "clone", "-q", str(tmp_path / "origin.git"), str(path)], check=True, capture_output=True)
    for arguments in (
        ["checkout", "-qb", "main"],
        ["-c", "user.name=t", "-c", "user.email=t@e", "commit", "-q", "--allow-empty", "-m", "first"],
        ["push", "-q", "origin", "main"],
    ):
        subprocess.run(["git", "-C", str(path), *arguments], check=True, capture_output=True)
    return path


def actions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, payload: Any, **changes: str | None) -> None:
    event = tmp_path / "event.json"
    event.write_text(payload if isinstance(payload, str) else json.dumps(payload))
    environ: dict[str, str | None] = {
        "GITHUB_RUN_ID": "1", "GITHUB_SERVER_URL": "http://127.0.0.1:9", "GITHUB_REPOSITORY": "acme/models",
        "GITHUB_JOB": "plan", "GITHUB_EVENT_NAME": "pull_request_target", "GITHUB_EVENT_PATH": str(event),
        "GITHUB_API_URL": "http://127.0.0.1:9", "GITHUB_TOKEN": "x", "GITHUB_ACTIONS": None, "GITHUB_OUTPUT": None,
        "GITHUB_STEP_SUMMARY": None, **changes,
    }  # fmt: skip
    for name, value in environ.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)


OPENED = json.loads((PAYLOADS / "pull_request.opened.json").read_text())
BAD = {
    "outside Actions": ({}, {"GITHUB_RUN_ID": None}, 1, "GITHUB_RUN_ID is not set"),
    "a payload that is no JSON": ("{", {}, 1, "payload"),
    "a job that is nobody's": (OPENED, {"GITHUB_JOB": "lunch"}, 1, "nothing to do in a job named 'lunch'"),
    "without a token": (OPENED, {"GITHUB_TOKEN": None}, 1, "GITHUB_TOKEN is not set"),
    "an event of another kind": ({"zen": "x"}, {"GITHUB_EVENT_NAME": "ping"}, 0, "nothing to do"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_surroundings_are_a_clear_message(
    case: str, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    payload, changes, code, said = BAD[case]
    actions(monkeypatch, tmp_path, payload, **changes)
    assert run(["handle", "--repo", str(checkout)]) == code
    printed = capfd.readouterr()
    assert said in printed.out + printed.err and "Traceback" not in printed.err
    refs = subprocess.run(["git", "-C", str(tmp_path / "origin.git"), "for-each-ref"], capture_output=True, text=True)
    assert refs.stdout.count("\n") == 1, "only main: nothing was written"
