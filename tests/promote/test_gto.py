"""GTO and DVC, the real ones, say the same as `mlbot environments` after every sequence of changes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import gto.api
import pytest
import yaml
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from bot.errors import UserError
from bot.promote.step import live_releases, promotions, rollback, withdraw
from bot.promote.version import numbers
from tests.promote.world import RUTH, RealStore, World, git

ENVIRONMENTS = ("staging", "production")
Step = tuple[str, str, str]
steps = st.tuples(
    st.sampled_from(["promote", "promote", "rollback", "withdraw"]),
    st.sampled_from(ENVIRONMENTS),
    st.sampled_from(["one", "two", "three"]),
)


def do(world: World, step: Step) -> None:
    """One change; what the rules refuse changes nothing."""
    action, environment, word = step
    try:
        if action == "promote":
            world.promote(word, environment)
        elif action == "rollback":
            rollback(environment, "churn", reason="x", by=RUTH, ports=world.ports())
        else:
            withdraw(environment, "churn", reason="x", by=RUTH, ports=world.ports())
    except UserError as error:
        assert error.code in ("rollback_target_missing", "not_live")


def dvc_finds(clone: Path, environment: str) -> str | None:
    """The version of the artifact that `dvc artifacts get --stage` would download; None when it finds none."""
    from dvc.exceptions import ArtifactNotFoundError
    from dvc.repo import Repo

    with Repo(str(clone), uninitialized=True) as repo:
        try:
            commit = repo.artifacts.get_rev("churn", stage=environment)
        except ArtifactNotFoundError:
            return None
    section = yaml.safe_load(git(clone, "show", f"{commit}:dvc.yaml"))["artifacts"]
    if "churn" not in section:
        return None
    # The path must lead to the pointer of exactly this version.
    assert git(clone, "show", f"{commit}:{section['churn']['path']}.dvc").startswith("outs:")
    version: str = section["churn"]["meta"]["version"]
    return version


def check(world: World, clone: Path) -> None:
    """Every reader agrees on every environment."""
    git(clone, "fetch", "-q", "--tags", "origin")
    ports = world.ports("reader")
    live = {release.environment: release.version for release in live_releases(ports)}
    shown = gto.api.show(str(clone)).get("churn")
    history = promotions("churn", ports)
    if not history:
        assert shown is None
        return
    for environment in ENVIRONMENTS:
        expected = live.get(environment)
        assert shown["stage"].get(environment) == expected, f"gto show: {environment}"
        found = gto.api.find_versions_in_stage(str(clone), "churn", environment)
        assert [one.version for one in found or []] == [expected] * bool(expected), f"gto.api: {environment}"
        assert dvc_finds(clone, environment) == expected, f"dvc: {environment}"
    highest = max((release.version for release in history), key=numbers)
    assert shown["version"] == highest
    events = [(one["version"], one["stage"]) for one in gto.api.history(str(clone), "churn", ascending=True)
              if one["event"] == "assignment"]  # fmt: skip
    assert events == [(one.version, one.environment) for one in history if one.action != "withdraw"]


@settings(
    max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.explicit, Phase.generate]
)
@given(st.lists(steps, min_size=1, max_size=7))
@example([("promote", "production", "one"), ("promote", "production", "two"), ("rollback", "production", "")])
@example([
    ("promote", "production", "one"), ("promote", "production", "two"), ("rollback", "production", ""),
    ("promote", "production", "two"), ("withdraw", "production", ""), ("promote", "production", "one"),
    ("withdraw", "production", ""),
])  # fmt: skip
def test_all_readers_agree_after_every_sequence(sequence: list[Step]) -> None:
    """`gto show`, `gto.api`, `gto history` and `dvc artifacts get --stage` name what is live, and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder)).found_from_anywhere()
        clone = world.root / "checker"
        git(world.root, "clone", "-q", "origin.git", "checker")
        for step in sequence:
            do(world, step)
            check(world, clone)


def dvc(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The dvc command, in this environment."""
    script = Path(sys.executable).with_name("dvc")
    environ = {**os.environ, "DVC_NO_ANALYTICS": "1", "DVC_STUDIO_OFFLINE": "1"}
    return subprocess.run([str(script), *arguments], cwd=cwd, capture_output=True, text=True, env=environ, check=False)


@pytest.mark.slow
def test_dvc_itself_downloads_what_is_live(tmp_path: Path) -> None:
    """`dvc artifacts get --stage` and `dvc get` fetch the promoted bytes, after a rollback the earlier ones, and after
    a withdrawal nothing."""
    world = World(tmp_path).found_from_anywhere()
    git(tmp_path, "clone", "-q", "origin.git", "dvc")
    world.artifacts = RealStore(tmp_path / "dvc")  # type: ignore[assignment]
    world.promote("one")
    world.promote("two")
    origin = str(tmp_path / "origin.git")

    def live() -> Any:
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        done = dvc("artifacts", "get", origin, "churn", "--stage", "production", "-o", "out", "--force", cwd=tmp_path)
        return (tmp_path / "out" / "model.skops").read_text() if done.returncode == 0 else done.stderr

    assert live() == "churn two"
    rollback("production", "churn", reason="x", by=RUTH, ports=world.ports())
    assert live() == "churn one"
    path = ("production/churn/artifact", "--rev", "mlbot/environments", "-o", "got")
    assert dvc("get", origin, *path, cwd=tmp_path).returncode == 0
    assert (tmp_path / "got" / "model.skops").read_text() == "churn one"
    withdraw("production", "churn", reason="x", by=RUTH, ports=world.ports())
    assert "churn" in live()
    assert "Failed to download" in live() or "Unable to find" in live()


def test_tagger_dates_grow_by_at_least_a_second(tmp_path: Path) -> None:
    """Changes within the same second still have an order that DVC and GTO can read."""
    world = World(tmp_path)
    still = world.clock.now()
    world.clock = type("Still", (), {"now": lambda self: still})()  # type: ignore[assignment]
    for word in ("one", "two"):
        world.promote(word)
    rollback("production", "churn", reason="x", by=RUTH, ports=replace(world.ports(), clock=world.clock))
    dates = [tag.at for tag in world.ports("reader").git.tags()]
    gaps = [(two - one).total_seconds() for one, two in pairwise(dates)]
    assert len(dates) == 7
    assert min(gaps) >= 1
