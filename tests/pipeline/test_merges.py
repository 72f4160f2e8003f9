"""Lost merges: each is promoted once, in order, never over a later one; how far that is stands in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.errors import MlbotError, Parts, UserError, WorldError
from bot.pipeline.job import Job
from bot.pipeline.merges import OVERLAP, PATIENCE, last_settled, settle_merges
from bot.ports import Merge, Ports, Run
from bot.records.ledger import Evaluated, Head, head_path, promotion_path
from bot.records.release import Release
from tests.builders import a_digest
from tests.fakes.branch import FakeBranch
from tests.fakes.git import FakeGit
from tests.fakes.pull_requests import FakePullRequests

POLICIES = Path(__file__).parents[2] / "policies"
START = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class World:
    """A default branch that grows by one commit a merge. `brings` says what promoting a number does."""

    commits: list[str] = field(default_factory=lambda: [f"{0:040x}"])
    git: FakeGit = field(default_factory=FakeGit)
    ledger: FakeBranch = field(default_factory=lambda: FakeBranch(append_only=True))
    pulls: FakePullRequests = field(default_factory=FakePullRequests)
    now: datetime = START
    promoted: list[int] = field(default_factory=list)
    refused: dict[int, MlbotError | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.files = {f"policies/{path.name}": path.read_bytes() for path in POLICIES.glob("*.yaml")}
        self.git.trees = {self.commits[0]: self.files}
        self._moved()

    def _moved(self) -> None:
        self.git.refs = {"HEAD": self.commits[-1]}

    def push(self, n: int = 1) -> str:
        """So many commits without a model."""
        for _ in range(n):
            new = f"{len(self.commits):040x}"
            self.git.trees[new], self.git.parents[new] = self.files, (self.commits[-1],)
            self.commits.append(new)
        self._moved()
        return self.commits[-1]

    def merge(self, number: int, model: str = "churn", *, is_listed: bool = True) -> str:
        """A pull request that changes a model is merged."""
        commit, head = self.push(), f"{number:x}".rjust(40, "a")
        one = Evaluated(
            inputs_digest=a_digest(number),
            evaluation_digest=a_digest("e", number),
            artifact_digest=a_digest("a", number),
        )
        known = Head(
            number=number, head_sha=head, base_sha=self.commits[0], models={model: one}, run_id=1, run_attempt=1,
            initiator_id=None,
        )  # fmt: skip
        self.ledger.commit({head_path(number, head): known.canonical()}, "evaluated")
        if is_listed:
            self.pulls.merges.append(Merge(number, head, commit, self.now))
        return commit

    def release(self, number: int, commit: str, model: str = "churn", environment: str = "staging") -> None:
        """What the merge brought goes live."""
        counter = 1 + len(self.ledger.paths(f"promotions/{model}/"))
        made = Release(
            model=model, environment=environment, version=f"v1.{counter}.0", action="promote",
            artifact_digest=a_digest("a", number), evaluation_digest=a_digest("e", number),
            inputs_digest=a_digest(number), files=(), commit=commit, pull_request=number, approved_by=(),
            promoted_by=None, reason="", released_at=self.now.isoformat(), previous_artifact_digest=None,
            counter=counter,
        )  # fmt: skip
        self.ledger.commit({promotion_path(model, counter, environment): made.canonical()}, "promoted")

    def job(self) -> Job:
        nothing: Any = None
        ports = Ports(
            git=self.git, ledger=self.ledger, environments=nothing, data=nothing, artifacts=nothing,
            pull_requests=self.pulls, conversation=nothing, clock=SimpleNamespace(now=lambda: self.now),
            run=Run(1, 1, None, "", "", "acme/app", "", self.commits[-1]),
        )  # fmt: skip
        return Job(ports, Path(), {}, lambda *_: None, lambda _: None, lambda _: None)

    def settle(self, *, is_kept: bool = True) -> Parts:
        """One reconcile, ten minutes later."""
        self.now += timedelta(minutes=10)
        parts = Parts()
        self.pulls.requests.clear()
        settle_merges(self.promote, self.job(), parts, is_kept=is_kept)
        return parts

    def promote(self, number: int, job: Job) -> None:
        self.promoted.append(number)
        if number in self.refused:
            error = self.refused[number]
            if error is not None:
                raise error
            return
        merge = next(one for one in self.pulls.merges if one.number == number)
        (model,) = Head.parse(self.ledger.get(head_path(number, merge.head_sha)) or b"", source="").models
        if not any(f'"pull_request":{number},'.encode() in data for data in self.ledger.files.values()):
            self.release(number, merge.commit, model)


def test_a_lost_merge_is_promoted_however_many_follow_it() -> None:
    world = World()
    world.settle()
    world.merge(7)
    world.push(3)
    assert world.settle().failed == [] and world.promoted == [7]
    world.now += OVERLAP
    world.settle()
    assert world.promoted == [7], "once"


def test_several_lost_merges_are_promoted_in_the_order_in_which_they_were_merged() -> None:
    world = World()
    for number in (9, 7, 8):
        world.merge(number)
        world.now += timedelta(minutes=1)
    world.settle()
    assert world.promoted == [9, 7, 8]


def test_a_merge_is_never_promoted_over_a_later_one_of_the_same_model() -> None:
    world = World()
    world.refused = {7: None}  # `by_itself` says so on the pull request, and brings nothing
    world.merge(7)
    world.release(8, world.merge(8))
    world.settle()
    settled = last_settled(world.job())
    assert settled is not None and settled.waiting == (), "nothing of #7 is left to do"


def test_after_a_push_of_a_thousand_commits_a_lost_merge_costs_one_request() -> None:
    world = World()
    world.settle()
    for number in range(100, 1100):
        if number == 600:
            world.merge(number)
        else:
            world.pulls.merges.append(Merge(number, f"{number:040x}", world.push(), world.now))
    world.settle()
    assert world.promoted == [600] and world.pulls.requests == ["merged"]


def test_a_quiet_branch_costs_no_request_and_writes_nothing() -> None:
    world = World()
    world.merge(7)
    world.settle()
    world.now += OVERLAP
    before = dict(world.ledger.files)
    world.settle()
    assert (world.pulls.requests, world.ledger.files) == ([], before)


def test_a_second_run_in_the_same_hour_writes_nothing() -> None:
    world = World()
    world.merge(7)
    world.settle()
    before = dict(world.ledger.files)
    world.settle()
    assert world.ledger.files == before and world.promoted == [7, 7], "it looks again, since GitHub may be late"


def test_what_github_lists_late_is_promoted_all_the_same() -> None:
    world = World()
    commit = world.merge(7, is_listed=False)
    world.settle()
    world.pulls.merges.append(Merge(7, f"{7:x}".rjust(40, "a"), commit, world.now - timedelta(minutes=5)))
    world.settle()
    assert world.promoted == [7]


def test_a_commit_that_is_not_in_this_checkout_yet_is_left_to_the_next_run() -> None:
    world = World()
    world.merge(7)
    world.git.refs = {"HEAD": world.commits[0]}
    world.settle()
    assert world.promoted == []
    world._moved()
    world.settle()
    assert world.promoted == [7]


def test_what_may_not_go_live_yet_waits_and_comes_when_it_may() -> None:
    """A freeze, say. It is asked again although the branch moved on, and no longer than PATIENCE."""
    world = World()
    world.refused = {7: None}
    world.merge(7)
    world.settle()
    world.push(5)
    world.now += timedelta(days=3)
    world.settle()
    assert world.promoted == [7, 7]
    world.refused = {}
    world.now += timedelta(days=3)
    world.settle()
    world.settle()
    settled = last_settled(world.job())
    assert world.promoted == [7, 7, 7] and settled is not None and settled.waiting == ()


def test_patience_ends() -> None:
    world = World()
    world.refused = {7: None}
    world.merge(7)
    world.now += PATIENCE
    world.pulls.merges = [replace(one, at=world.now - PATIENCE) for one in world.pulls.merges]
    world.ledger.commit({}, "")
    world.settle()
    settled = last_settled(world.job())
    assert settled is not None and settled.waiting == ()


@pytest.mark.parametrize(
    ("error", "times"), [(WorldError("GitHub does not answer"), 2), (UserError("predict_proba is missing"), 1)]
)
def test_one_that_fails_keeps_no_other_back_and_is_tried_again_only_if_that_may_help(
    error: MlbotError, times: int
) -> None:
    world = World()
    world.refused = {7: error}
    for number, model in ((7, "churn"), (8, "price")):
        world.merge(number, model)
    assert [one for _, one in world.settle().failed] == [error]
    assert world.promoted == [7, 8]
    world.now += OVERLAP
    world.settle()
    assert world.promoted == [7, 8] + [7] * (times - 1)


def test_github_that_does_not_list_moves_nothing_on() -> None:
    world = World()
    world.settle()
    world.merge(7)

    def merged(since: datetime) -> list[Merge]:
        raise WorldError("GitHub does not answer")

    listing: Callable[[datetime], list[Merge]] = world.pulls.merged
    world.pulls.merged = merged  # type: ignore[method-assign]
    assert [name for name, _ in world.settle().failed] == ["merged pull requests"]
    world.pulls.merged = listing  # type: ignore[method-assign]
    world.settle()
    assert world.promoted == [7]


def test_the_run_of_a_push_promotes_and_leaves_the_mark_to_reconcile() -> None:
    world = World()
    world.merge(7)
    world.settle(is_kept=False)
    assert world.promoted == [7] and last_settled(world.job()) is None
