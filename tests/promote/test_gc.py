"""`mlbot gc` removes what nothing needs, and never what was live."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.adapters.dvc import DvcArtifacts
from bot.adapters.dvc_objects import RemoteObjects
from bot.cli.gc import command
from bot.errors import UserError
from bot.pipeline.reuse import known
from bot.promote.evidence import verify
from bot.promote.step import rollback
from tests.builders import a_head, a_planned
from tests.fakes.branch import FakeBranch
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
    assert "Nothing may go" in gc(world, "--keep-days", "0", "--open", "12", "--remove"), "what is gone is not listed"
    abandoned, _ = world.candidate("abandoned")
    planned = a_planned(inputs_digest=abandoned.inputs_digest, known_evaluation=abandoned.digest())
    assert known(planned, world.ports("plan")) is None, "an evaluation without bytes is not used again: it is trained"


def test_a_run_that_died_before_the_bytes_were_gone_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    world = a_world(tmp_path)
    _, pointer = world.candidate("abandoned")
    with monkeypatch.context() as patch:
        patch.setattr(RemoteObjects, "remove", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        CliRunner().invoke(command, ["--repo", str(tmp_path / "mine"), "--keep-days", "0", "--remove"])
    assert is_there(world, pointer, tmp_path / "still")
    assert "1 artifacts removed (2 objects)" in gc(world, "--keep-days", "0", "--remove")
    assert not is_there(world, pointer, tmp_path / "gone")


def test_bytes_on_the_objects_branch_go_too(tmp_path: Path) -> None:
    """While the remote is embedded, a job's bytes lie on `mlbot/objects`, and its tip forgets what nothing needs."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text(
        "[core]\n    remote = embedded\n['remote \"embedded\"']\n    url = embedded\n"
    )
    git(tmp_path, "init", "-q")
    branch = FakeBranch()
    (tmp_path / "artifact").mkdir()
    (tmp_path / "artifact" / "model.skops").write_bytes(b"bytes")
    pointer = DvcArtifacts(tmp_path, branch).store(tmp_path / "artifact")
    objects = RemoteObjects(tmp_path, branch)
    assert len(branch.paths()) == 2 and objects.is_there(pointer)
    assert objects.remove(objects.of(pointer)) == 2
    assert branch.paths() == [] and not objects.is_there(pointer)


def test_what_somebody_wants_erased_goes_and_the_chain_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's row is in the golden rows of what was live: replaced first, then erased; what is live stays."""
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    world = a_world(tmp_path)
    made = {}
    for word in ("theirs", "without"):
        evaluation, pointer = world.candidate(word)
        made[word] = (evaluation, pointer, world.let_out(evaluation, pointer))
    theirs, pointer, release = made["theirs"]
    live = made["without"][0].artifact_digest
    for digest, code in ((live, "still_live"), ("0" * 64, "digest_unknown")):
        result = CliRunner().invoke(command, ["--repo", str(tmp_path / "mine"), "--erase", digest, "--reason", "x"])
        assert isinstance(result.exception, UserError) and result.exception.code == code
    assert "1 artifacts removed" in gc(world, "--erase", theirs.artifact_digest, "--reason", "asked by law", "--remove")
    assert not is_there(world, pointer, tmp_path / "gone") and is_there(world, made["without"][1], tmp_path / "there")
    ports = world.ports("reader")
    links = {one.name: one for one in verify(release, ports, is_live=False)}
    assert links["bytes"].ok is None and "asked by law" in links["bytes"].sentence
    assert not [name for name, one in links.items() if one.ok is False], "the chain is whole"
    with pytest.raises(UserError):
        rollback("production", "churn", reason="x", by=RUTH, ports=world.ports())
