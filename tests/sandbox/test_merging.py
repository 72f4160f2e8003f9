"""Merging: what GitHub does by each method, and what it answers when it does not merge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.sandbox import merge_queue
from bot.sandbox.http import ApiError
from bot.sandbox.hub import Happening
from bot.sandbox.rulesets import PULL_REQUEST, Actor
from bot.sandbox.store import QueueEntry
from bot.sandbox.world import Sandbox
from tests.sandbox.administration import QUEUE
from tests.sandbox.conftest import Caller
from tests.sandbox.test_push_refusals import checks, hold, rule

MODEL = "models/churn/model.yaml"
DANA = Actor("dana", "write")


def propose(world: Sandbox, branch: str = "deeper", *messages: str) -> int:
    """A pull request of dana's with a file of its own, and more commits with these messages."""
    number = world.propose("dana", branch, {f"{branch}.txt": b"1\n"}, branch.capitalize())
    for index, message in enumerate(messages):
        world.commit("dana", branch, {f"{branch}.txt": f"{index + 2}\n".encode()}, message)
    return number


def refused(world: Sandbox, number: int, login: str = "owen", **body: Any) -> tuple[int, str]:
    status, answer = Caller(world, world.token(login))("PUT", f"/pulls/{number}/merge", body)
    return status, answer["message"]


@pytest.mark.parametrize(
    ("method", "switch", "message"),
    [
        ("merge", "allow_merge_commit", "Merge commits are not allowed on this repository."),
        ("squash", "allow_squash_merge", "Squash merges are not allowed on this repository."),
        ("rebase", "allow_rebase_merge", "Rebase merges are not allowed on this repository."),
    ],
)
def test_a_method_that_the_repository_or_a_ruleset_takes_away(
    world: Sandbox, call: Any, method: str, switch: str, message: str
) -> None:
    number, others = propose(world), {"merge", "squash", "rebase"} - {method}
    assert call("adam")("PATCH", "", {switch: False})[1][switch] is False
    assert refused(world, number, merge_method=method) == (405, message)
    call("adam")("PATCH", "", {switch: True})
    hold(world, rule("pull_request", **PULL_REQUEST, allowed_merge_methods=sorted(others)))
    assert refused(world, number, merge_method=method) == (405, message)
    assert refused(world, number, merge_method=min(others))[0] == 200


def test_a_squash_only_repository_refuses_a_merge_that_names_no_method(world: Sandbox, call: Any) -> None:
    number = propose(world)
    call("adam")("PATCH", "", {"allow_merge_commit": False, "allow_rebase_merge": False})
    assert refused(world, number) == (405, "Merge commits are not allowed on this repository.")
    assert call("adam")("PATCH", "", {"allow_squash_merge": False})[0] == 422, "one way must be left"
    assert refused(world, number, merge_method="squash")[0] == 200


def test_a_rebase_brings_each_commit_anew(world: Sandbox, call: Any) -> None:
    """Their authors stay, the committer is who merges, the commits have other names."""
    number = propose(world, "deeper", "two", "three")
    before = [one["sha"] for one in call("dana")("GET", f"/pulls/{number}/commits")[1]]
    world.commit("rhea", "main", {"meanwhile.txt": b"x"}, "meanwhile")
    assert refused(world, number, merge_method="rebase")[0] == 200
    brought = call("dana")("GET", "/commits?per_page=3")[1]
    assert [one["commit"]["message"] for one in brought] == ["three", "two", "Deeper"]
    assert [(one["author"]["login"], one["committer"]["login"]) for one in brought] == [("dana", "owen")] * 3
    assert not {one["sha"] for one in brought} & set(before)
    assert [len(one["parents"]) for one in brought] == [1, 1, 1]


def test_a_squash_has_the_messages_of_all_commits(world: Sandbox, call: Any) -> None:
    assert refused(world, propose(world, "deeper", "two"), merge_method="squash")[0] == 200
    tip = call("dana")("GET", "/commits/main")[1]
    assert (tip["commit"]["message"], len(tip["parents"])) == ("Deeper (#1)\n\n* Deeper\n\n* two", 1)
    assert tip["author"]["login"] == "dana"


Setup = Callable[[Sandbox, int], None]


def conflict(world: Sandbox, _: int) -> None:
    world.commit("rhea", "main", {"deeper.txt": b"other\n"}, "meanwhile")


def draft(world: Sandbox, number: int) -> None:
    Caller(world, world.token("dana"))("POST", f"/pulls/{number}/convert_to_draft", {})


def closed(world: Sandbox, number: int) -> None:
    Caller(world, world.token("dana"))("PATCH", f"/pulls/{number}", {"state": "closed"})


def behind(world: Sandbox, _: int) -> None:
    strict = rule("required_status_checks", required_status_checks=[], strict_required_status_checks_policy=True)
    hold(world, strict)
    Caller(world, world.token("adam"))("PUT", "/contents/a.txt", {"message": "a", "content": "YQ=="})


def linear(world: Sandbox, _: int) -> None:
    hold(world, rule("required_linear_history"))


def classic(world: Sandbox, _: int) -> None:
    body = {"required_status_checks": {"strict": False, "contexts": ["ci"]}, "enforce_admins": True}
    body |= {"required_pull_request_reviews": {"required_approving_review_count": 2}, "restrictions": None}
    Caller(world, world.token("adam"))("PUT", "/branches/main/protection", body)


RULES = "Repository rule violations found\n\n"
WHY: dict[str, tuple[Setup, dict[str, Any], int, str]] = {
    "a conflict": (conflict, {}, 405, "Pull Request has merge conflicts"),
    "a conflict of a rebase": (conflict, {"merge_method": "rebase"}, 405, "This branch can't be rebased"),
    "a draft": (draft, {}, 405, "Pull Request is still a draft"),
    "closed": (closed, {}, 405, "Pull Request is not mergeable"),
    "another head": (
        lambda *_: None,
        {"sha": "0" * 40},
        409,
        "Head branch was modified. Review and try the merge again.",
    ),
    "behind": (behind, {}, 409, "Head branch is out of date. Review and try the merge again."),
    "a merge commit": (linear, {}, 405, f"{RULES}This branch must not contain merge commits.\n\n"),
    "unsigned": (
        lambda world, _: hold(world, rule("required_signatures")),
        {},
        405,
        f"{RULES}Commits must have verified signatures.\n\n",
    ),
    "a frozen branch": (
        lambda world, _: hold(world, rule("update")),
        {},
        405,
        f"{RULES}Cannot update this protected ref.\n\n",
    ),
    "approvals": (
        lambda world, _: hold(world, rule("pull_request", **PULL_REQUEST | {"required_approving_review_count": 2})),
        {},
        405,
        f"{RULES}At least 2 approving reviews are required by reviewers with write access.\n\n",
    ),
    "a queue": (
        lambda world, _: hold(world, *QUEUE["rules"]),
        {},
        405,
        f"{RULES}Changes must be made through the merge queue\n\n",
    ),
    "branch protection": (
        classic,
        {},
        405,
        "At least 2 approving reviews are required by reviewers with write access. "
        'Required status check "ci" is expected.',
    ),
}


@pytest.mark.parametrize("why", WHY)
def test_why_a_merge_is_refused(world: Sandbox, why: str) -> None:
    setup, body, status, message = WHY[why]
    number = propose(world)
    setup(world, number)
    before = world.hub.bare(world.repo).branch("main")
    assert refused(world, number, **body) == (status, message)
    assert world.hub.bare(world.repo).branch("main") == before


def test_a_word_that_is_no_method_and_a_person_who_may_not_write(world: Sandbox) -> None:
    number = propose(world)
    assert refused(world, number, merge_method="octopus")[0] == 422
    assert refused(world, number, "rita") == (403, "Must have push access to repository")


STATES: dict[str, tuple[dict[str, str], str]] = {
    "nothing": ({}, "3 of 3 required status checks are expected."),
    "one": ({"a": "success", "b": "success"}, 'Required status check "c" is expected.'),
    "one red": ({"a": "success", "b": "success", "c": "failure"}, 'Required status check "c" is failing.'),
    "one waits": ({"a": "success", "b": "success", "c": "pending"}, 'Required status check "c" is pending.'),
    "some": (
        {"a": "success", "b": "pending"},
        "2 of 3 required status checks have not succeeded: 1 pending and 1 expected.",
    ),
    "all, otherwise": (
        {"a": "error", "b": "pending"},
        "3 of 3 required status checks have not succeeded: 1 errored, 1 pending and 1 expected.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_checks_are_named_when_one_is_missing_and_counted_when_more_are(world: Sandbox, call: Any, name: str) -> None:
    given, sentence = STATES[name]
    number = propose(world)
    hold(world, checks("a", "b", "c"))
    head = call("dana")("GET", f"/pulls/{number}")[1]["head"]["sha"]
    for context, state in given.items():
        call("rhea")("POST", f"/statuses/{head}", {"state": state, "context": context})
    assert refused(world, number) == (405, f"{RULES}{sentence}\n\n")
    found = call("dana")("GET", f"/pulls/{number}")[1]
    assert found["mergeable_state"] == "blocked"


def test_a_check_of_the_wrong_app_is_told_apart_from_one_that_is_missing(world: Sandbox, call: Any) -> None:
    number = propose(world)
    app, _, _ = world.add_app("acme-models", {"statuses": "write"})
    world.protect(checks=["mlbot"], app=app)
    head = call("dana")("GET", f"/pulls/{number}")[1]["head"]["sha"]
    call("rhea")("POST", f"/statuses/{head}", {"state": "success", "context": "mlbot"})
    sentence = 'Required status check "mlbot" was not set by the expected GitHub app.'
    assert refused(world, number) == (405, f"{RULES}{sentence}\n\n")


def test_who_may_pass_by_when_merging_merges_and_may_not_push(world: Sandbox) -> None:
    number = propose(world)
    hold(
        world,
        rule("pull_request", **PULL_REQUEST | {"required_approving_review_count": 1}),
        bypass_actors=[{"actor_type": "User", "actor_id": 1002, "bypass_mode": "pull_request"}],
    )
    assert refused(world, number, "rhea")[0] == 405
    assert refused(world, number, "owen")[0] == 200
    with pytest.raises(Exception, match="Changes must be made through a pull request"):
        world.commit("owen", "main", {"a.txt": b"a"}, "direct")


def test_the_head_goes_when_the_repository_deletes_merged_branches(world: Sandbox, call: Any) -> None:
    """A pull request on top of it goes on against the base."""
    call("adam")("PATCH", "", {"delete_branch_on_merge": True})
    first = propose(world)
    second = world.propose("dana", "upper", {"upper.txt": b"1"}, "Upper", base="deeper")
    assert refused(world, first)[0] == 200
    assert world.hub.bare(world.repo).branch("deeper") is None
    assert call("dana")("GET", f"/pulls/{second}")[1]["base"]["ref"] == "main"


# --- the queue that a ruleset asks for


def enqueue(world: Sandbox, number: int, **options: Any) -> QueueEntry:
    with world.hub.lock:
        return merge_queue.enqueue(world.hub, world.repo, world.repo.issues[number], DANA, **options)


def green(world: Sandbox, sha: str, state: str = "success") -> None:
    Caller(world, world.token("rhea"))("POST", f"/statuses/{sha}", {"state": state, "context": "ci"})


@pytest.fixture
def queued(world: Sandbox) -> tuple[int, int]:
    """Two pull requests whose heads are green, in the queue of a branch that requires `ci`."""
    numbers = propose(world, "one"), propose(world, "two")
    hold(world, *QUEUE["rules"], checks("ci"), include=["~DEFAULT_BRANCH"])
    for number in numbers:
        pull = world.repo.issues[number].pull
        assert pull is not None
        green(world, pull.head_sha)
        enqueue(world, number)
    return numbers


def is_merged(world: Sandbox, *numbers: int) -> list[bool]:
    return [bool((pull := world.repo.issues[number].pull) and pull.merged_at) for number in numbers]


def test_the_queue_merges_in_order_what_is_green_on_top_of_what_is_before_it(
    world: Sandbox, queued: tuple[int, int], happenings: list[Happening]
) -> None:
    first, second = world.repo.queue
    assert (second.base_sha, first.ref) == (first.sha, f"refs/heads/gh-readonly-queue/main/pr-1-{first.base_sha}")
    assert refused(world, queued[0]) == (405, "Pull Request is in the merge queue.")
    green(world, second.sha)
    assert is_merged(world, *queued) == [False, False], "the first in the queue goes first"
    green(world, first.sha)
    assert is_merged(world, *queued) == [True, True]
    assert (world.hub.bare(world.repo).branch("main"), world.repo.queue) == (second.sha, [])
    told = [one.payload.get("reason") for one in happenings if one.action in ("dequeued", "destroyed")]
    assert told == ["MERGE", "merged", "MERGE", "merged"]


def test_what_turns_red_leaves_the_queue_and_what_was_built_on_it_is_built_anew(
    world: Sandbox, queued: tuple[int, int]
) -> None:
    first, second = world.repo.queue
    built = second.sha
    green(world, first.sha, "failure")
    assert [one.number for one in world.repo.queue] == [queued[1]]
    assert world.repo.queue[0].sha not in ("", built)
    green(world, world.repo.queue[0].sha)
    assert is_merged(world, *queued) == [False, True]


def test_a_push_takes_a_pull_request_out_of_the_queue(world: Sandbox, queued: tuple[int, int]) -> None:
    world.commit("dana", "one", {"one.txt": b"again\n"}, "again")
    assert [one.number for one in world.repo.queue] == [queued[1]]
    kinds = [one.kind for one in world.repo.events if one.number == queued[0]]
    assert "added_to_merge_queue" in kinds and "removed_from_merge_queue" in kinds


def test_a_base_that_moves_past_the_queue_makes_new_groups(world: Sandbox, queued: tuple[int, int]) -> None:
    before = [one.sha for one in world.repo.queue]
    bare = world.hub.bare(world.repo)
    bypass = [{"actor_type": "RepositoryRole", "actor_id": 5, "bypass_mode": "always"}]
    for one in world.repo.rulesets:
        one["bypass_actors"] = bypass
    world.commit("adam", "main", {"hotfix.txt": b"x"}, "hotfix")
    assert not {one.sha for one in world.repo.queue} & set(before)
    assert world.repo.queue[0].base_sha == bare.branch("main")


NOT_QUEUED: dict[str, tuple[Setup, dict[str, Any], str]] = {
    "red": (lambda *_: None, {}, 'Pull request Required status check "ci" is expected.'),
    "a draft": (draft, {}, "Pull request is in draft state"),
    "closed": (closed, {}, "Pull request is closed"),
    "another head": (
        lambda *_: None, {"head": "0" * 40},
        "Failed to add PR #1: expected head oid does not match the current head oid",
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", NOT_QUEUED)
def test_what_may_not_enter_the_queue(world: Sandbox, why: str) -> None:
    setup, options, message = NOT_QUEUED[why]
    number = propose(world)
    hold(world, *QUEUE["rules"], checks("ci"), include=["~DEFAULT_BRANCH"])
    setup(world, number)
    with pytest.raises(ApiError) as caught:
        enqueue(world, number, **options)
    assert (caught.value.status, str(caught.value)) == (422, message)
    assert world.repo.queue == []


def test_the_queue_is_left_and_entered_in_front(world: Sandbox, queued: tuple[int, int]) -> None:
    with world.hub.lock:
        merge_queue.dequeue(world.hub, world.repo, queued[1], "dana")
    enqueue(world, queued[1], jump=True)
    assert [one.number for one in world.repo.queue] == [queued[1], queued[0]]
    with pytest.raises(ApiError, match="already in the queue"):
        enqueue(world, queued[1])
