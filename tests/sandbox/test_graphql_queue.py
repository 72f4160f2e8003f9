"""GraphQL: the merge queue, and in one word whether a pull request can be merged."""

from __future__ import annotations

from typing import Any

import pytest

from bot.adapters.github_merge import queued
from bot.sandbox.world import Sandbox
from tests.sandbox.test_graphql import Query

ENQUEUE = """mutation($input: EnqueuePullRequestInput!) {enqueuePullRequest(input: $input) {mergeQueueEntry {
    position state enqueuer {login} pullRequest {number} mergeQueue {entries(first: 5) {totalCount}}}}}"""
DEQUEUE = "mutation($input: DequeuePullRequestInput!) {dequeuePullRequest(input: $input) {clientMutationId}}"
STATE = "mergeStateStatus isInMergeQueue isMergeQueueEnabled reviewDecision"


def require(world: Sandbox, *rules: dict[str, Any]) -> None:
    """A ruleset of the default branch."""
    conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    name = f"rules {len(world.repo.rulesets)}"
    body = {"name": name, "target": "branch", "enforcement": "active", "conditions": conditions, "rules": list(rules)}
    token = world.token("adam")
    status = Query(world, token).call("POST", "/rulesets", body)[0]
    assert status == 201


def checks(strict: bool = False) -> dict[str, Any]:
    wanted = {"required_status_checks": [{"context": "mlbot/verdict"}], "strict_required_status_checks_policy": strict}
    return {"type": "required_status_checks", "parameters": wanted}


def queue() -> dict[str, Any]:
    return {
        "type": "merge_queue",
        "parameters": {
            "check_response_timeout_minutes": 60,
            "grouping_strategy": "ALLGREEN",
            "max_entries_to_build": 5,
            "max_entries_to_merge": 5,
            "merge_method": "SQUASH",
            "min_entries_to_merge": 1,
            "min_entries_to_merge_wait_minutes": 5,
        },
    }


@pytest.fixture
def number(world: Sandbox) -> int:
    return world.propose("dana", "deeper", {"models/churn/model.yaml": b"depth: 4\n"}, "Deeper trees")


def set_status(world: Sandbox, number: int, state: str, context: str = "mlbot/verdict") -> None:
    pull = world.repo.issues[number].pull
    assert pull is not None
    Query(world, world.token("rhea")).call("POST", f"/statuses/{pull.head_sha}", {"state": state, "context": context})


def test_a_pull_request_goes_through_the_queue(world: Sandbox, number: int) -> None:
    require(world, queue(), checks())
    rhea = Query(world, world.token("rhea"))
    subject = rhea.pull("id", number)["id"]
    set_status(world, number, "success")
    entry = rhea.data(ENQUEUE, input={"pullRequestId": subject})["enqueuePullRequest"]["mergeQueueEntry"]
    assert entry == {
        "position": 1,
        "state": "AWAITING_CHECKS",
        "enqueuer": {"login": "rhea"},
        "pullRequest": {"number": number},
        "mergeQueue": {"entries": {"totalCount": 1}},
    }
    shown = rhea.pull(STATE, number)
    assert (shown["isInMergeQueue"], shown["isMergeQueueEnabled"]) == (True, True)
    rhea.data(DEQUEUE, input={"id": subject})
    assert not rhea.pull(STATE, number)["isInMergeQueue"]
    kinds = "itemTypes: [ADDED_TO_MERGE_QUEUE_EVENT, REMOVED_FROM_MERGE_QUEUE_EVENT]"
    found = rhea.pull(f"timelineItems(first: 5, {kinds}) {{nodes {{__typename}}}}", number)["timelineItems"]["nodes"]
    assert [one["__typename"] for one in found] == ["AddedToMergeQueueEvent", "RemovedFromMergeQueueEvent"]


@pytest.mark.parametrize("by_rule", [True, False])
def test_who_is_in_a_group_is_told_from_the_front(world: Sandbox, number: int, by_rule: bool) -> None:
    """As the bot asks it, whoever made the group."""
    other = world.propose("owen", "other", {"other.txt": b"1\n"}, "Other")
    rhea = Query(world, world.token("rhea"))
    if by_rule:
        require(world, queue(), checks())
        for one in (number, other):
            set_status(world, one, "success")
            rhea.data(ENQUEUE, input={"pullRequestId": rhea.pull("id", one)["id"]})
        groups = [one.sha for one in world.repo.queue]
    else:
        group = world.merge_group(number, other)
        groups = [world.repo.queued_by_hand[0].sha, group.sha]
    owner, _, name = world.repository.partition("/")
    told = [queued(lambda text, given: rhea.data(text, **given), owner, name, "main", sha) for sha in groups]
    assert told == [[number], [number, other]]
    assert queued(lambda text, given: rhea.data(text, **given), owner, name, "main", "e" * 40) == []


def test_who_may_not_enter_the_queue_is_told_why(world: Sandbox, number: int) -> None:
    rhea = Query(world, world.token("rhea"))
    subject = rhea.pull("id", number)["id"]
    [error] = rhea(ENQUEUE, input={"pullRequestId": subject})["errors"]
    assert (error["type"], error["message"]) == (
        "UNPROCESSABLE",
        "Pull request The merge queue is not enabled for this branch",
    )
    require(world, queue())
    [error] = Query(world, world.token("rita"))(ENQUEUE, input={"pullRequestId": subject})["errors"]
    assert error["message"] == "rita does not have the correct permissions to execute `EnqueuePullRequest`"
    run = Query(world, world.hub.mint({"contents": "read", "pull-requests": "write"}, run=1))
    [error] = run(ENQUEUE, input={"pullRequestId": subject})["errors"]
    assert (error["type"], error["message"]) == ("FORBIDDEN", "Resource not accessible by integration")


def test_one_word_says_whether_it_can_be_merged(world: Sandbox, number: int) -> None:
    owen = Query(world, world.token("owen"))

    def state() -> str:
        return str(owen.pull("mergeStateStatus", number)["mergeStateStatus"])

    assert state() == "CLEAN"
    set_status(world, number, "failure", "lint")
    assert state() == "UNSTABLE"
    require(world, checks())
    assert state() == "BLOCKED"
    set_status(world, number, "success")
    set_status(world, number, "success", "lint")
    assert state() == "CLEAN"
    require(world, checks(strict=True))
    other = world.propose("owen", "other", {"other.txt": b"1\n"}, "Other")
    set_status(world, other, "success")
    assert Query(world, world.token("owen")).call("PUT", f"/pulls/{other}/merge", {})[0] == 200
    assert state() == "BEHIND"
    owen.call("PATCH", f"/pulls/{number}", {"state": "closed"})
    assert state() == "UNKNOWN"


def test_the_review_decision_is_there_where_reviews_are_required(world: Sandbox, number: int) -> None:
    dana = Query(world, world.token("dana"))
    world.protect(approvals=1)
    assert dana.pull(STATE, number)["reviewDecision"] == "REVIEW_REQUIRED"
    assert dana.pull(STATE, number)["mergeStateStatus"] == "BLOCKED"
    owen = Query(world, world.token("owen"))
    owen.call("POST", f"/pulls/{number}/reviews", {"event": "REQUEST_CHANGES", "body": "no"})
    assert dana.pull(STATE, number)["reviewDecision"] == "CHANGES_REQUESTED"
    owen.call("POST", f"/pulls/{number}/reviews", {"event": "APPROVE"})
    assert dana.pull(STATE, number)["reviewDecision"] == "APPROVED"
    assert dana.pull(STATE, number)["mergeStateStatus"] == "CLEAN"


def test_a_required_check_is_named_as_such(world: Sandbox, number: int) -> None:
    require(world, checks())
    set_status(world, number, "success")
    set_status(world, number, "success", "lint")
    query = f"isRequired(pullRequestNumber: {number})"
    fields = f"statusCheckRollup {{contexts(first: 5) {{nodes {{... on StatusContext {{context {query}}}}}}}}}"
    found = Query(world, world.token("dana")).pull(f"commits(last: 1) {{nodes {{commit {{{fields}}}}}}}", number)
    nodes = found["commits"]["nodes"][0]["commit"]["statusCheckRollup"]["contexts"]["nodes"]
    assert {one["context"]: one["isRequired"] for one in nodes} == {"mlbot/verdict": True, "lint": False}


def test_rules_come_with_what_they_ask_for(world: Sandbox) -> None:
    require(world, checks(strict=True), queue(), {"type": "deletion"})
    parameters = (
        "... on RequiredStatusChecksParameters {strictRequiredStatusChecksPolicy doNotEnforceOnCreate "
        "requiredStatusChecks {context integrationId}} ... on MergeQueueParameters {mergeMethod maxEntriesToBuild}"
    )
    rules = (
        f"rules(first: 9) {{nodes {{type repositoryRuleset {{name target}} parameters {{__typename {parameters}}}}}}}"
    )
    text = f'{{repository(owner: "acme", name: "models") {{defaultBranchRef {{{rules}}}}}}}'
    found = Query(world, world.token("dana")).data(text)["repository"]["defaultBranchRef"]["rules"]["nodes"]
    asked = {one["type"]: one["parameters"] for one in found if one["repositoryRuleset"]["target"] == "BRANCH"}
    assert asked == {
        "REQUIRED_STATUS_CHECKS": {
            "__typename": "RequiredStatusChecksParameters",
            "strictRequiredStatusChecksPolicy": True,
            "doNotEnforceOnCreate": False,
            "requiredStatusChecks": [{"context": "mlbot/verdict", "integrationId": None}],
        },
        "MERGE_QUEUE": {"__typename": "MergeQueueParameters", "mergeMethod": "SQUASH", "maxEntriesToBuild": 5},
        "DELETION": None,
    }


def test_classic_protection_is_shown_at_its_branch(world: Sandbox) -> None:
    adam = Query(world, world.token("adam"))
    body = {
        "required_status_checks": {"strict": True, "contexts": ["mlbot/verdict"]},
        "enforce_admins": True,
        "required_pull_request_reviews": {"required_approving_review_count": 2},
        "restrictions": None,
    }
    assert adam.call("PUT", "/branches/main/protection", body)[0] == 200
    fields = (
        "pattern isAdminEnforced requiresStrictStatusChecks requiredStatusCheckContexts requiresApprovingReviews "
        "requiredApprovingReviewCount allowsForcePushes restrictsPushes"
    )
    text = f'{{repository(owner: "acme", name: "models") {{defaultBranchRef {{branchProtectionRule {{{fields}}}}}}}}}'
    assert adam.data(text)["repository"]["defaultBranchRef"]["branchProtectionRule"] == {
        "pattern": "main",
        "isAdminEnforced": True,
        "requiresStrictStatusChecks": True,
        "requiredStatusCheckContexts": ["mlbot/verdict"],
        "requiresApprovingReviews": True,
        "requiredApprovingReviewCount": 2,
        "allowsForcePushes": False,
        "restrictsPushes": False,
    }
