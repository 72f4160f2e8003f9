"""`mlbot monitor MODEL` on the command line: what is missing is said with the next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli import run
from tests.monitor.test_job import POLICIES, WATCHED
from tests.repositories import Repository


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository whose production is watched, with nothing live."""
    files = {f"policies/{path.name}": path.read_bytes() for path in POLICIES.glob("*.yaml")}
    text = files["policies/environments.yaml"].decode()
    line = "    rollback: {roles: [release-manager]}\n"
    files["policies/environments.yaml"] = text.replace(line, line.rstrip("\n") + WATCHED).encode()
    made = Repository(tmp_path)
    made.git.references.create("refs/remotes/origin/main", made.commit(files))
    made.git.references.create("refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    return tmp_path


CASES = {
    "no environment": (["small"], "Add --environment ENV."),
    "an environment that the policy does not watch": (["small", "--environment", "staging"], "staging is not watched"),
    "nothing is live": (["small", "--environment", "production"], "small is not live in production"),
    "a window that is no time": (
        ["small", "--environment", "production", "--every", "soon"], "'soon' is not a duration",
    ),
    "a place with other names": (
        ["small", "--environment", "staging", "--log", "log/{modle}"], "has other names than",
    ),
    "neither model nor tables": ([], "two tables are needed, or a model"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_missing_is_said(case: str, clone: Path, capfd: pytest.CaptureFixture[str]) -> None:
    given, said = CASES[case]
    where = ["--repo", str(clone), "--offline"] if given else []
    assert run(["monitor", *given, *where]) == 1
    printed = capfd.readouterr()
    assert said in printed.err and "Traceback" not in printed.err
