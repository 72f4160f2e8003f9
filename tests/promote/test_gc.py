"""`mlbot gc` removes what nothing needs, and never what was live."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.gc import command
from bot.errors import UserError
from bot.promote.step import rollback
from tests.builders import a_head
from tests.promote.world import RUTH, RealStore, World, git


def a_world(folder: Path) -> World:
    """A world on real DVC with a clone to run the command in."""
    world = World(folder)
    git(folder, "clone", "-q", "origin.git", "mine")
    world.artifacts = RealStore(folder / "mine")  # type: ignore[assignment]
    return world


def gc(world: World, *options: str) -> str:
    """What the command says."""
    result = CliRunner().invoke(command, ["--repo", str(world.root / "mine"), *options], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def is_there(world: World, pointer: str, folder: Path) -> bool:
    """Whether the artifact can still be fetched."""
    folder.mkdir(exist_ok=True)
    try:
        world.artifacts.fetch(pointer, folder)
    except UserError:
        return False
    return True


def test_only_what_nothing_needs_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live, once live and waiting artifacts stay; an abandoned one goes, and only when asked to."""
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    world = a_world(tmp_path)
    pointers = {}
    for word in ("one", "two", "waiting", "abandoned"):
        evaluation, pointers[word] = world.candidate(word)
        if word in ("one", "two"):
            world.let_out(evaluation, pointers[word])
        if word == "waiting":
            head = a_head(evaluation, number=12)
            world.ports("w").ledger.commit({f"heads/12/{head.head_sha}.json": head.canonical()}, "head")
    rollback("production", "churn", reason="x", by=RUTH, ports=world.ports())  # two is not live any more
    assert "Nothing may go" in gc(world)
    said = gc(world, "--keep-days", "0", "--open", "12")
    assert "was live in production as v1.1.0" in said
    assert "pull request #12 may still be merged" in said
    assert "1 artifacts (2 objects) may go" in said
    assert all(is_there(world, pointer, tmp_path / word) for word, pointer in pointers.items())
    gc(world, "--keep-days", "0", "--open", "12", "--remove")
    left = {word for word, pointer in pointers.items() if is_there(world, pointer, tmp_path / f"after-{word}")}
    assert left == {"one", "two", "waiting"}
    assert "1 artifacts removed (0 objects)" in gc(world, "--keep-days", "0", "--open", "12", "--remove")
