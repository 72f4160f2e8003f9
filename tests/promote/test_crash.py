"""A promote job that dies between any two of its writes, and is run again."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.proposals import ProposedBranch
from bot.errors import UserError
from bot.ports import Ports
from bot.promote.step import finish, promote, promotions, rollback, settle, withdraw
from bot.promote.upkeep import drill, follow_up, is_drill_due, record_verification
from bot.records.ledger import LEDGER
from bot.records.release import Verification
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


def cut(ports: Ports, n: int, end: Any) -> Ports:
    """Ports of a job that dies before its n-th write (from 0): any push of git, and what is posted to GitHub."""
    left, git_run = [n], ports.git.run  # type: ignore[attr-defined]

    def blow() -> None:
        if left[0] == 0:
            end()
        left[0] -= 1

    def run(*arguments: str) -> Any:
        if arguments[0] == "push":
            blow()
        return git_run(*arguments)

    ports.git.run = run  # type: ignore[attr-defined]
    if isinstance(ports.environments, ProposedBranch):
        ports.environments._desk = Fuse(ports.environments._desk, ("put",), blow)
    return replace(ports, conversation=Fuse(ports.conversation, ("deployment",), blow))


def state(world: World) -> Any:
    """Everything that the world shows, without commit ids (they hold the time of writing)."""
    bare = world.root / "origin.git"
    tags = git(bare, "for-each-ref", "--format=%(refname:short) %(taggerdate:unix) %(*subject)", "refs/tags")
    branches = git(bare, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()
    files = {name: git(bare, "ls-tree", "-r", "--name-only", name) for name in branches}
    counts = {name: git(bare, "rev-list", "--count", name) for name in branches if name != LEDGER}
    deployments = [(environment, payload, state) for _, environment, payload, state in world.deployments.made]
    return tags, files, counts, deployments, world.desk.there


def promoting(world: World, ports: Ports) -> None:
    evaluation, pointer = world.candidate("two")
    promote(
        "churn", "production", evaluation, pointer, commit=world.main, number=8, approved_by=(OLGA,),
        promoted_by=RUTH, reason="better", ports=ports, trigger="run 1",
    )  # fmt: skip


def withdrawing(world: World, ports: Ports) -> None:
    with contextlib.suppress(UserError):  # a second run finds that it is not live
        withdraw("production", "churn", reason="worse", by=RUTH, ports=ports)


def drilling(world: World, ports: Ports) -> None:
    finish("churn", ports)
    if is_drill_due("production", "churn", timedelta(days=7), ports):
        drill("production", "churn", ports)


def failing(world: World, ports: Ports) -> None:
    record_verification(verified(world, 2, "failed"), ports)
    follow_up("production", "churn", ports, is_enabled=True)


def passing(world: World, ports: Ports) -> None:
    record_verification(verified(world, 2, "passed"), ports)
    follow_up("production", "churn", ports, is_enabled=True)


def verified(world: World, counter: int, outcome: Any) -> Verification:
    live = next(one for one in promotions("churn", world.ports("reader")) if one.counter == counter)
    return Verification(
        model="churn", environment="production", counter=counter, artifact_digest=live.artifact_digest,
        outcome=outcome, sentence="smoke test", checked_at=world.clock.now().isoformat(),
    )  # fmt: skip


# What the job does, as its re-run would do it again: how many releases there are before, and how many writes it makes.
ACTIONS: dict[str, tuple[Any, int, int]] = {
    "promote": (promoting, 1, 7),
    "propose": (promoting, 1, 2),
    "propose the first": (promoting, 0, 3),
    "roll back": (
        lambda world, ports: rollback("production", "churn", reason="worse", by=RUTH, ports=ports, trigger="run 2"),
        2, 6,
    ),
    "withdraw": (withdrawing, 2, 6),
    "drill": (drilling, 2, 12),
    "fail a verification": (failing, 2, 7),
    "pass a verification": (passing, 2, 2),
}  # fmt: skip


DEPLOYMENT = """
apiVersion: deployment/v1
kind: Deployment
environments:
  production:
    target: kserve
    image: ghcr.io/acme/serve@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    repository_url: https://github.com/acme/app.git
    canary_percent: 10
"""


def prepared(folder: Path, releases: int) -> World:
    """So many releases, the first of them verified. The clock stands, so that runs can be compared to the second."""
    folder.mkdir()
    world = World(folder)
    world.changed("deploy/deployment.yaml", DEPLOYMENT)
    for word in ("one", "two")[:releases]:
        world.promote(word)
    moment = world.clock.now().replace(hour=12, minute=0)
    world.clock = type("Still", (), {"now": lambda self: moment})()  # type: ignore[assignment]
    if releases:
        record_verification(verified(world, 1, "passed"), world.ports())
    world.candidate("two")
    return world


def run(action: str, world: World, clone: str, n: int = -1) -> None:
    """The whole job from a clone; it dies before its n-th write."""
    ports = world.proposing(clone) if action.startswith("propose") else world.ports(clone)
    ACTIONS[action][0](world, cut(ports, n, die))


@pytest.mark.parametrize("action", ACTIONS)
def test_death_before_any_write_and_a_second_run_end_like_an_undisturbed_run(tmp_path: Path, action: str) -> None:
    """One release, one set of tags, one deployment, one fact, one proposal, whichever write the job died before.

    The second run is another machine's, or one in the clone of the first, as when a person runs a command again.
    """
    _, releases, writes = ACTIONS[action]
    before = prepared(tmp_path / "before", releases)
    undisturbed = before.copied(tmp_path / "undisturbed")
    run(action, undisturbed, "job")
    expected = state(undisturbed)
    for n in range(writes):
        for clone in ("another", "job"):
            world = before.copied(tmp_path / f"{n}-{clone}")
            with pytest.raises(Died):
                run(action, world, "job", n)
            run(action, world, clone)
            assert state(world) == expected, f"died before write {n}, run again in {clone}"
    world = before.copied(tmp_path / "all")
    run(action, world, "job", writes)
    assert state(world) == expected, "no write was forgotten"


@pytest.mark.parametrize("n", [0, 1, 4])
def test_killed_job_is_finished_by_anybody(tmp_path: Path, n: int) -> None:
    """After SIGKILL the next run of anything that touches the model (here: reconcile) finishes what was begun."""
    world = prepared(tmp_path / "world", 1)
    child = os.fork()
    if child == 0:
        promoting(world, cut(world.ports(), n, kill))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    ports = world.ports("reconcile")
    live = finish("churn", ports)["production"]
    assert live.version == ("v1.0.0" if n == 0 else "v1.1.0"), "the commit on the environments branch decides"
    bare = world.root / "origin.git"
    tags = git(bare, "tag").splitlines()
    assert f"churn#production#{live.counter}" in tags
    assert f"churn@{live.version}" in tags
    assert ports.ledger.get(f"promotions/churn/{live.counter:06d}-production.json") == live.canonical()
    before = git(bare, "for-each-ref")
    settle("churn", world.ports("again"))
    assert git(bare, "for-each-ref") == before, "nothing is left to do"
