"""`mlbot init` where somebody already works: their default branch, their files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from bot.cli import run
from bot.specs.policies import read_policies
from tests.decide.world import codes, facts, judge
from tests.promote.world import git
from tests.reliability.recorded import given


@pytest.fixture(scope="module")
def trunk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose default branch is `trunk`, after `mlbot init`; nobody changes it."""
    folder = tmp_path_factory.mktemp("trunk")
    git(folder, "init", "-q", "-b", "trunk")
    git(folder, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "--allow-empty", "-m", "one")
    given(run(["init", str(folder)]) == 0, "initialised")
    return folder


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_what_is_merged_into_the_default_branch_may_be_promoted(trunk: Path, environment: str) -> None:
    files = {f"policies/{path.name}": path.read_bytes() for path in (trunk / "policies").glob("*.yaml")}
    pull_request = {"merged": True, "state": "closed", "base_ref": "trunk", "default_branch": "trunk"}
    decision = judge(facts(pr=pull_request, subject=environment), read_policies(files))
    assert "base_not_allowed" not in codes(decision.tree)


def test_a_push_to_the_default_branch_starts_what_follows_it(trunk: Path) -> None:
    for path in (trunk / ".github/workflows").glob("*.yml"):
        events = yaml.safe_load(path.read_text()).get(True)  # YAML 1.1 reads `on` as a truth value
        pushed = (events or {}).get("push") if isinstance(events, dict) else None
        assert "trunk" in ((pushed or {}).get("branches") or ["trunk"]), path.name


FILES = {
    "a pointer of Git LFS": "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 12\n",
    "a line that is too short": "id,age,left\n1,30,no\n2\n3,40,yes\n",
    "nothing": "",
}


@pytest.mark.parametrize("kind", FILES)
def test_data_that_cannot_be_read_are_the_persons_to_mend(
    trunk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    team = Path(shutil.copytree(trunk, tmp_path / "team"))
    (team / "data").mkdir(exist_ok=True)
    (team / "data/churn.csv").write_text(FILES[kind])
    code = run(["init", str(team), "--data", "data/churn.csv", "--target", "left"])
    said = capsys.readouterr().err
    assert code == 1 and "data/churn.csv" in said and "bug in mlbot" not in said, said
    assert kind != "a pointer of Git LFS" or "LFS" in said, said
