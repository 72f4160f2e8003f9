"""`delivery: pull_request`: what the policy approved is live when somebody merges it, and not before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.ports import Ports
from bot.promote.evidence import live_release, verify
from bot.promote.step import finish, promote, states_of
from bot.records.ledger import ENVIRONMENTS
from tests.promote.world import OLGA, RUTH, World, git

BRANCH = "mlbot-promotions/production/churn"


def propose(world: World, word: str, ports: Ports, trigger: str | None = None) -> Any:
    """Promote the candidate of that word."""
    evaluation, pointer = world.candidate(word)
    return promote(
        "churn", "production", evaluation, pointer, commit=world.main, number=7, approved_by=(OLGA,),
        promoted_by=RUTH, reason="better", ports=ports, trigger=trigger,
    )  # fmt: skip


def merge(world: World, how: str) -> None:
    """A person merges the open proposal, as GitHub does it."""
    seed = world.root / "seed"
    person = ("-c", "user.name=ana", "-c", "user.email=ana@example.com")
    git(seed, "fetch", "-q", "origin")
    git(seed, "checkout", "-q", "-B", "merging", f"origin/{ENVIRONMENTS}")
    said = git(seed, "log", "-1", "--format=%B", f"origin/{BRANCH}")
    git(seed, *person, "merge", "-q", f"--{how}", f"origin/{BRANCH}", *(["-m", "Merge it"] if how == "no-ff" else []))
    if how == "squash":
        git(seed, *person, "commit", "-qm", said)
    git(seed, "push", "-q", "origin", f"merging:{ENVIRONMENTS}")


@pytest.mark.parametrize("how", ["no-ff", "squash"])
def test_nothing_is_live_before_the_merge_and_everything_after_it(tmp_path: Path, how: str) -> None:
    """One pull request however often it is asked; after the merge the reconcile writes tags, deployment, fact."""
    world = World(tmp_path)
    for name in ("job", "again"):
        propose(world, "one", world.proposing(name))
        assert states_of("churn", world.ports(name)) == {}
    assert (world.desk.where, world.desk.put_on) == ({(BRANCH, ENVIRONMENTS)}, [1])
    assert world.desk.there[0].title == "promote churn v1.0.0 to production"
    bare = world.root / "origin.git"
    assert git(bare, "rev-list", "--count", f"{ENVIRONMENTS}..{BRANCH}") == "1"
    merge(world, how)
    ports = world.ports("reconcile")
    finish("churn", ports)
    assert git(bare, "tag").splitlines() == ["churn#production#1", "churn@v1.0.0"]
    assert [one[1] for one in world.deployments.made] == ["production"]
    links = verify(live_release("churn", "production", ports), ports)
    assert [link.name for link in links if link.ok is False] == []


def test_a_newer_proposal_takes_the_place_of_an_open_one(tmp_path: Path) -> None:
    world = World(tmp_path)
    propose(world, "one", world.proposing())
    propose(world, "two", world.proposing())
    assert world.desk.put_on == [1, 1]
    merge(world, "no-ff")
    live = states_of("churn", world.ports("reader"))["production"]
    assert live.artifact_digest == world.candidate("two")[0].artifact_digest


def test_what_somebody_declined_is_proposed_again_only_when_it_is_asked_for_anew(tmp_path: Path) -> None:
    """A re-run and the hourly reconcile respect a closed pull request; another request opens another."""
    world = World(tmp_path)
    propose(world, "one", world.proposing(), "comment 1")
    world.desk.close()
    bare = world.root / "origin.git"
    git(bare, "branch", "-D", BRANCH)
    for name in ("again", "reconcile"):
        with pytest.raises(UserError) as caught:
            propose(world, "one", world.proposing(name), "comment 1")
        assert (caught.value.code, caught.value.message) == ("proposal_declined", "#1 proposed it and was closed")
    assert BRANCH not in git(bare, "branch")
    propose(world, "one", world.proposing(), "comment 2")
    assert [one.number for one in world.desk.there if one.is_open] == [2]


def test_a_proposal_on_what_moved_is_not_made(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.promote("one")
    branch = world.proposing().environments
    with pytest.raises(UserError) as caught:
        branch.commit({"production/churn/release.json": b"{}"}, "x", expect={"production/churn/release.json": None})
    assert caught.value.code == "branch_moved"
