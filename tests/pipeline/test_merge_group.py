"""A merge group is let through by what is said of its pull requests now, not by what ever was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.errors import UserError, WorldError
from bot.pipeline import merge_group
from bot.pipeline.job import Job
from bot.pipeline.judge import judge
from bot.pipeline.queued import group, is_stopped, stop
from bot.records.event import MergeGroupRequested
from tests.fakes.git import FakeGit
from tests.fakes.pull_requests import FakePullRequests
from tests.pipeline.test_train_and_report import penalised
from tests.pipeline.world import BASE, CHURN, World, world

SPEC = "models/churn/model.yaml"
FIRST, SECOND = "1" * 40, "2" * 40  # live heads of #7 and #8
GROUP = "a" * 40
POLICY = "policies/approvals.yaml"
OTHERS = {
    "policies": {POLICY: b"rules: []\n"},
    "workflow": {".github/workflows/promote.yml": b"on: push\n"},
    "key": {"policies/keys/evil.pub": b"x"},
    "code": {"bot/decide/decide.py": b"x"},
    "metadata": {SPEC: CHURN + b"environments: [production]\nrisk_tier: low\n"},
    "docs": {"docs/new.md": b"x"},
}


class Queue:
    """A group commit of #7 and #8 with `files` of their heads; `verdicts` are what a new look at them says."""

    def __init__(self, made: World, monkeypatch: pytest.MonkeyPatch, **group: bytes) -> None:
        self.made, self.job = made, made.job()
        git: Any = self.job.ports.git
        assert isinstance(git, FakeGit)
        self.git, self.queued = git, [(7, FIRST), (8, GROUP)]
        self.verdicts: dict[int, Any] = {7: "approved", 8: "approved"}
        self.merged: set[int] = set()
        self.meanwhile: Callable[[], None] = lambda: None
        monkeypatch.setattr(FakeGit, "fetch", lambda *_: self.meanwhile(), raising=False)
        monkeypatch.setattr(merge_group, "rejudge", self.rejudge)

    def head(self, sha: str, files: dict[str, bytes]) -> None:
        self.git.trees[sha] = {**self.made.base, **files}
        self.git.parents[sha] = (BASE,)

    def rejudge(self, number: int, job: Job) -> Any:
        verdict = self.verdicts[number]
        if isinstance(verdict, Exception):
            raise verdict
        sha = {7: FIRST, 8: SECOND}[number]
        planned = merge_group.plan(BASE, sha, job.ports).planned
        models = [SimpleNamespace(inputs_digest=one.inputs_digest) for one in planned]
        subject = SimpleNamespace(number=number, head_sha=sha, state="open", merged=number in self.merged)
        decision = SimpleNamespace(status=verdict, headline="Held by vera", models=models)
        return SimpleNamespace(facts=SimpleNamespace(pull_request=subject), decision=decision)

    def asked(self, number: int | None = 8) -> tuple[str, str]:
        """The group's verdict."""
        github: Any = self.job.ports.pull_requests
        assert isinstance(github, FakePullRequests)
        github.queue = self.queued
        merge_group.verify_group(MergeGroupRequested(head_sha=GROUP, number=number), self.job)
        assert self.made.talk.statuses_["mlbot/verdict"] == self.made.talk.statuses_["mlbot/evaluation"]
        return self.made.talk.statuses_["mlbot/verdict"]


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """#7 changes a model, #8 a page; the group holds both."""
    found = Queue(world(tmp_path, monkeypatch), monkeypatch)
    fill(found, {SPEC: penalised(0.5)}, {"docs/page.md": b"x"})
    return found


def fill(queue: Queue, first: dict[str, bytes], second: dict[str, bytes], **more: bytes) -> None:
    queue.head(FIRST, first)
    queue.head(SECOND, second)
    queue.head(GROUP, {**first, **second, **more})


def test_a_group_of_approved_pull_requests_goes_through(queue: Queue) -> None:
    assert queue.asked() == ("success", merge_group.GOOD)


@pytest.mark.parametrize("held", [7, 8])
@pytest.mark.parametrize("status", ["rejected", "pending", "error"])
def test_each_pull_request_of_it_is_judged_again(queue: Queue, held: int, status: str) -> None:
    queue.verdicts[held] = status
    assert queue.asked() == ("failure", f"#{held}: Held by vera")


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("status", ["approved", "rejected"])
def test_what_is_no_model_is_judged_like_any_other_change(queue: Queue, what: str, status: str) -> None:
    fill(queue, {}, OTHERS[what])
    queue.verdicts[8] = status
    assert queue.asked()[0] == ("success" if status == "approved" else "failure")


@pytest.mark.parametrize("what", [one for one in OTHERS if one != "metadata"])
def test_what_no_pull_request_of_the_group_brings_reds_it(queue: Queue, what: str) -> None:
    fill(queue, {SPEC: penalised(0.5)}, {"docs/page.md": b"x"}, **OTHERS[what])
    state, said = queue.asked()
    assert state == "failure" and said.startswith("no pull request of the group changes ")


@pytest.mark.parametrize("path", [POLICY, ".github/workflows/promote.yml"])
def test_rules_that_two_changes_give_together_are_nobodys(queue: Queue, path: str) -> None:
    fill(queue, {path: b"a: 1\n"}, {path: b"b: 1\n"}, **{path: b"a: 1\nb: 1\n"})
    assert queue.asked() == ("failure", f"{path} is merged from several changes: nobody has seen it so")


def test_inputs_that_two_changes_give_together_were_evaluated_by_neither(queue: Queue) -> None:
    fill(queue, {SPEC: penalised(0.5)}, {SPEC: penalised(0.6)}, **{SPEC: penalised(0.7)})
    assert queue.asked() == ("failure", "no approved evaluation of churn")


def test_a_pull_request_that_a_group_before_merged_is_judged_no_more(queue: Queue) -> None:
    queue.verdicts[7], queue.merged = "rejected", {7}
    assert queue.asked()[0] == "success"


@pytest.mark.parametrize("error", [UserError("no policies"), WorldError("GitHub failed")])
def test_a_pull_request_that_cannot_be_judged_reds_the_group(queue: Queue, error: Exception) -> None:
    queue.verdicts[7] = error
    with pytest.raises(type(error)):
        queue.asked()
    assert queue.made.talk.statuses_["mlbot/verdict"] == ("error", f"Cannot be judged: {error.args[0]}")


def test_a_queue_that_github_does_not_show_is_that_of_its_branch_and_without_a_number_an_error(queue: Queue) -> None:
    queue.queued = []
    assert queue.asked()[0] == "failure", "#7 is in the group, and nobody says so"
    with pytest.raises(UserError):
        queue.asked(number=None)


@pytest.mark.parametrize("days", [0.0, 0.9, 1.1])
@pytest.mark.parametrize("state", ["open", "closed"])
def test_whatever_is_not_approved_any_more_reds_the_groups_that_hold_it(
    days: float, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the word came: each judgement of the merge looks; a group of yesterday has long been thrown away."""
    made = world(tmp_path, monkeypatch)
    job, shown = made.job(), list[tuple[str, str, str]]()
    github: Any = job.ports.pull_requests
    github.pulls[7] = replace(github.pulls[7], state=state, merged=state == "closed")
    monkeypatch.setattr(made.talk, "set_status", lambda sha, context, state, *_: shown.append((sha, context, state)))
    for sha in (GROUP, "b" * 40):
        group([7, 8], sha, job)
    made.clock.pass_days(days)
    assert judge(7, "merge", job).decision.status != "approved"
    expected = [(sha, "mlbot/verdict", "failure") for sha in (GROUP, "b" * 40)]
    assert shown == (expected if days < 1 and state == "open" else [])
    assert is_stopped(GROUP, job) is bool(shown)


def test_a_word_that_comes_while_the_group_is_judged_has_the_last_say(queue: Queue) -> None:
    """The hold is read after the group was judged and shown before the group is: the group looks once more."""

    def hold() -> None:
        if queue.made.ledger.paths("grouped/7/"):
            queue.made.talk.statuses_["mlbot/verdict"] = ("success", merge_group.GOOD)
            stop(7, "#7: Held by vera", queue.job)

    queue.meanwhile = hold
    assert queue.asked() == ("failure", merge_group.STOPPED)


def test_a_group_that_cannot_be_verified_is_told_so_and_not_left_waiting(queue: Queue) -> None:
    with pytest.raises(UserError):
        merge_group.verify_group(MergeGroupRequested(head_sha="e" * 40), queue.job)
    assert {context: state for context, (state, _) in queue.made.talk.statuses_.items()} == {
        "mlbot/verdict": "error", "mlbot/evaluation": "error",
    }  # fmt: skip
    assert queue.made.talk.statuses_["mlbot/verdict"][1].startswith("Cannot be judged: ")
