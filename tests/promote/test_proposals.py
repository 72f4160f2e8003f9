"""`delivery: pull_request`: what the policy approved is live when somebody merges it, and not before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.git import GitBranch
from bot.adapters.proposals import ProposedBranch, opener
from bot.errors import UserError
from bot.ports import Ports
from bot.promote.evidence import live_release, verify
from bot.promote.step import promote, settle, states_of
from bot.records.ledger import ENVIRONMENTS
from tests.promote.world import OLGA, RUTH, World, git

BRANCH = "mlbot-promotions/production/churn"


def proposing(world: World, opened: list[tuple[str, str, str]], name: str = "job") -> Ports:
    """A job whose environment is delivered by pull requests; `opened` keeps branch, base and title of each call."""
    ports = world.ports(name)
    branch = GitBranch(ports.git, ENVIRONMENTS)  # type: ignore[arg-type]
    return replace(ports, environments=ProposedBranch(branch, lambda *said: opened.append(said[:3])))


def propose(world: World, word: str, ports: Ports) -> Any:
    """Promote the candidate of that word."""
    evaluation, pointer = world.candidate(word)
    return promote(
        "churn", "production", evaluation, pointer, commit=world.main, number=7, approved_by=(OLGA,),
        promoted_by=RUTH, reason="better", ports=ports,
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
    world, opened = World(tmp_path), []  # type: ignore[var-annotated]
    for name in ("job", "again"):
        propose(world, "one", proposing(world, opened, name))
        assert states_of("churn", world.ports(name)) == {}
    assert set(opened) == {(BRANCH, ENVIRONMENTS, "promote churn v1.0.0 to production")}
    bare = world.root / "origin.git"
    assert git(bare, "rev-list", "--count", f"{ENVIRONMENTS}..{BRANCH}") == "1"
    merge(world, how)
    ports = world.ports("reconcile")
    settle("churn", ports)
    assert git(bare, "tag").splitlines() == ["churn#production#1", "churn@v1.0.0"]
    assert [one[1] for one in world.deployments.made] == ["production"]
    links = verify(live_release("churn", "production", ports), ports)
    assert [link.name for link in links if link.ok is False] == []


def test_a_newer_proposal_takes_the_place_of_an_open_one(tmp_path: Path) -> None:
    world, opened = World(tmp_path), []  # type: ignore[var-annotated]
    propose(world, "one", proposing(world, opened))
    propose(world, "two", proposing(world, opened))
    merge(world, "no-ff")
    live = states_of("churn", world.ports("reader"))["production"]
    assert live.artifact_digest == world.candidate("two")[0].artifact_digest


def test_a_pull_request_is_opened_once_and_brought_up_to_date() -> None:
    asked: list[tuple[str, str]] = []
    there: list[dict[str, Any]] = []

    class Api:
        def _ask(self, verb: str, path: str, body: Any = None) -> Any:
            asked.append((verb, path))
            if verb == "POST":
                there.append({"number": 5, **body})
            return there

    open_ = opener(Api(), "acme/app")  # type: ignore[arg-type]
    for title in ("promote churn v1.0.0", "promote churn v1.0.0", "promote churn v1.1.0"):
        open_(BRANCH, ENVIRONMENTS, title, "body")
    assert [verb for verb, _ in asked] == ["GET", "POST", "GET", "GET", "PATCH"]
    assert asked[0][1].startswith("/repos/acme/app/pulls?state=open&head=acme%3Amlbot-promotions")


def test_a_proposal_on_what_moved_is_not_made(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.promote("one")
    branch = proposing(world, []).environments
    with pytest.raises(UserError) as caught:
        branch.commit({"production/churn/release.json": b"{}"}, "x", expect={"production/churn/release.json": None})
    assert caught.value.code == "branch_moved"
