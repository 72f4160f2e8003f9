"""A promote job that dies between any two of its writes, and is run again."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.ports import Ports
from bot.promote.step import promote, rollback, settle
from tests.promote.world import OLGA, RUTH, World, git

WRITES = {"environments": ("commit",), "ledger": ("commit",), "git": ("push_tag",), "conversation": ("deployment",)}


class Fuse:
    """Stands before the writing methods of a port and blows before the n-th write."""

    def __init__(self, port: Any, names: tuple[str, ...], blow: Any) -> None:
        self._port, self._names, self._blow = port, names, blow

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name not in self._names:
            return found

        def guarded(*arguments: Any, **options: Any) -> Any:
            self._blow()
            return found(*arguments, **options)

        return guarded


def fused(ports: Ports, n: int, end: Any) -> Ports:
    """Ports of which the n-th write (from 0) is not reached."""
    left = [n]

    def blow() -> None:
        if left[0] == 0:
            end()
        left[0] -= 1

    return replace(ports, **{port: Fuse(getattr(ports, port), names, blow) for port, names in WRITES.items()})


class Died(BaseException):
    """The job is gone; nobody can catch it."""


def die() -> None:
    raise Died


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def state(world: World) -> Any:
    """Everything that the world shows, without commit ids (they hold the time of writing)."""
    bare = world.root / "origin.git"
    tags = git(bare, "for-each-ref", "--format=%(refname:short) %(taggerdate:unix) %(*subject)", "refs/tags")
    trees = {
        branch: git(bare, "ls-tree", "-r", branch).replace(world.main, "MAIN")
        for branch in ("mlbot/environments", "mlbot/ledger")
    }
    n = git(bare, "rev-list", "--count", "mlbot/environments")
    return tags, trees, n, world.deployments.made


def run(world: World, action: str, ports: Ports) -> None:
    """What the job does; the whole job, as its re-run would do it."""
    if action == "promote":
        evaluation, pointer = world.candidate("two")
        promote(
            "churn", "production", evaluation, pointer, commit=world.main, number=8, approved_by=(OLGA,),
            promoted_by=RUTH, reason="better", ports=ports, trigger="run 1",
        )  # fmt: skip
    else:
        rollback("production", "churn", reason="worse", by=RUTH, ports=ports, trigger="run 2")


def prepared(folder: Path, action: str) -> World:
    """Where the action makes sense."""
    folder.mkdir()
    world = World(folder)
    world.promote("one")
    if action == "rollback":
        world.promote("two")
    world.candidate("two")
    return world


def still(world: World) -> World:
    """Stop the clock, so that an undisturbed run can be compared to the second."""
    moment = world.clock.now().replace(hour=12, minute=0)
    world.clock = type("Still", (), {"now": lambda self: moment})()  # type: ignore[assignment]
    return world


@pytest.mark.parametrize("action", ["promote", "rollback"])
def test_death_before_any_write_and_a_second_run_end_like_an_undisturbed_run(tmp_path: Path, action: str) -> None:
    """One release, one set of tags, one deployment, one fact, whichever write the job died before."""
    before = still(prepared(tmp_path / "before", action))
    undisturbed = before.copied(tmp_path / "undisturbed")
    run(undisturbed, action, undisturbed.ports())
    expected = normal(state(undisturbed), undisturbed)
    for n in range(20):
        world = before.copied(tmp_path / f"died-{n}")
        try:
            run(world, action, fused(world.ports(), n, die))
        except Died:
            run(world, action, world.ports("second"))
            assert normal(state(world), world) == expected, f"died before write {n}"
        else:
            break
    assert 5 <= n < 20, "commit, tags, deployment and fact are separate writes"


def normal(found: Any, world: World) -> Any:
    """Without this world's commit ids, which differ with the folder and the second of writing."""
    tags, trees, n, deployments = found
    releases = {branch: [line.split("\t")[1] for line in text.splitlines()] for branch, text in trees.items()}
    return tags, releases, n, [(env, payload, state) for _, env, payload, state in deployments]


@pytest.mark.parametrize("n", [0, 1, 4])
def test_killed_job_is_finished_by_anybody(tmp_path: Path, n: int) -> None:
    """After SIGKILL the next run of anything that touches the model (here: reconcile) finishes what was begun."""
    world = still(prepared(tmp_path / "world", "promote"))
    child = os.fork()
    if child == 0:
        run(world, "promote", fused(world.ports(), n, kill))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    ports = world.ports("reconcile")
    live = settle("churn", ports)["production"]
    assert live.version == ("v1.0.0" if n == 0 else "v1.1.0"), "the commit on the environments branch decides"
    bare = world.root / "origin.git"
    tags = git(bare, "tag").splitlines()
    assert f"churn#production#{live.counter}" in tags
    assert f"churn@{live.version}" in tags
    assert ports.ledger.get(f"promotions/churn/{live.counter:06d}-production.json") == live.canonical()
    before = git(bare, "for-each-ref")
    settle("churn", world.ports("again"))
    assert git(bare, "for-each-ref") == before, "nothing is left to do"
