"""Mutations of pull requests, their reviews, and the merge queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sandbox import merge_queue
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields.acting import Given, Mutation, Payload, edge, edit, home_of, kept, logins, pull_of
from bot.sandbox.graphql.fields.queue import entry_of, queue_of
from bot.sandbox.graphql.nodes import must_find
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.http import ApiError
from bot.sandbox.rulesets import actor_of

# --- reviews


def _review(pull: Thing, made: Mapping[str, Any]) -> Payload:
    found = Thing("PullRequestReview", pull.repo.reviews[made["id"]], pull.repo)
    return {"pullRequestReview": found, "reviewEdge": edge(found)}


def _add_review(at: Context, given: Given) -> Payload:
    pull, path = pull_of(at, given)
    body = kept(given, {"body": "body", "event": "event", "commitOID": "commit_id"})
    return _review(pull, at.rest("POST", f"{path}/reviews", body))


def _review_path(at: Context, given: Given) -> tuple[Thing, str]:
    """The named review, or the caller's pending one of the named pull request."""
    if given.get("pullRequestReviewId"):
        found = must_find(at, given["pullRequestReviewId"], "PullRequestReview")
    else:
        pull, _ = pull_of(at, given)
        mine = [one for one in pull.repo.reviews.values() if (one.number, one.author) == (pull.value.number, at.login)]
        pending = [one for one in mine if one.state == "PENDING"]
        if not pending:
            raise ApiError(404, "Could not find a pending review")
        found = Thing("PullRequestReview", pending[-1], pull.repo)
    return found, f"{home_of(found)}/pulls/{found.value.number}/reviews/{found.key}"


def _submit_review(at: Context, given: Given) -> Payload:
    found, path = _review_path(at, given)
    return _review(found, at.rest("POST", f"{path}/events", kept(given, {"body": "body", "event": "event"})))


def _dismiss_review(at: Context, given: Given) -> Payload:
    found, path = _review_path(at, given)
    return _review(found, at.rest("PUT", f"{path}/dismissals", {"message": given["message"]}))


def _update_review(at: Context, given: Given) -> Payload:
    found, path = _review_path(at, given)
    return _review(found, at.rest("PUT", path, {"body": given["body"]}))


def _request_reviews(at: Context, given: Given) -> Payload:
    """Asks everybody named; without `union` those who were asked before are asked no longer."""
    pull, path = pull_of(at, given)
    wanted = logins(at, given.get("userIds") or [])
    teams = [must_find(at, one, "Team").value.slug for one in given.get("teamIds") or []]
    if not given.get("union"):
        gone = [one for one in pull.value.pull.reviewers if one not in wanted]
        if gone:
            at.rest("DELETE", f"{path}/requested_reviewers", {"reviewers": gone})
    if wanted or teams:
        at.rest("POST", f"{path}/requested_reviewers", {"reviewers": wanted, "team_reviewers": teams})
    return {"pullRequest": pull, "requestedReviewersEdge": None}


# --- pull requests


def _create_pull(at: Context, given: Given) -> Payload:
    home = must_find(at, given["repositoryId"], "Repository")
    names = {"title": "title", "body": "body", "baseRefName": "base", "headRefName": "head", "draft": "draft"}
    body = kept(given, names)
    if given.get("headRepositoryId"):
        body["head"] = f"{must_find(at, given['headRepositoryId'], 'Repository').repo.owner}:{given['headRefName']}"
    made = at.rest("POST", f"{home_of(home)}/pulls", body)
    return {"pullRequest": Thing("PullRequest", home.repo.issues[made["number"]], home.repo)}


def _update_pull(at: Context, given: Given) -> Payload:
    pull, path = pull_of(at, given)
    body = kept(given, {"title": "title", "body": "body", "baseRefName": "base"})
    if given.get("state"):
        body["state"] = given["state"].lower()
    if body:
        at.rest("PATCH", path, body)
    edit(at, pull, given)
    return {"pullRequest": pull}


def _pull_state(state: str) -> Mutation:
    def mutation(at: Context, given: Given) -> Payload:
        pull, path = pull_of(at, given)
        at.rest("PATCH", path, {"state": state})
        return {"pullRequest": pull}

    return mutation


def _draft(word: str) -> Mutation:
    def mutation(at: Context, given: Given) -> Payload:
        pull, path = pull_of(at, given)
        at.rest("POST", f"{path}/{word}")
        return {"pullRequest": pull}

    return mutation


def _merge(at: Context, given: Given) -> Payload:
    pull, path = pull_of(at, given)
    names = {"commitHeadline": "commit_title", "commitBody": "commit_message", "expectedHeadOid": "sha"}
    body = kept(given, names) | {"merge_method": given["mergeMethod"].lower()}
    at.rest("PUT", f"{path}/merge", body)
    return {"pullRequest": pull, "actor": at.account(at.login)}


def _may_write(at: Context, pull: Thing) -> None:
    """Raises ApiError unless the caller may merge there."""
    at.need_write("contents")
    if at.role(pull.repo) not in ("write", "maintain", "admin"):
        raise ApiError(403, "Must have push access to repository")


def _enqueue(at: Context, given: Given) -> Payload:
    pull, _ = pull_of(at, given)
    _may_write(at, pull)
    actor = actor_of(at.hub, pull.repo, at.call.token)
    head, jump = given.get("expectedHeadOid"), bool(given.get("jump"))
    merge_queue.enqueue(at.hub, pull.repo, pull.value, actor, head=head, jump=jump)
    return {"mergeQueueEntry": entry_of(pull.repo, pull.value.number)}


def _dequeue(at: Context, given: Given) -> Payload:
    pull, _ = pull_of(at, given, "id")
    _may_write(at, pull)
    entry = entry_of(pull.repo, pull.value.number)
    merge_queue.dequeue(at.hub, pull.repo, pull.value.number, at.login)
    return {"mergeQueueEntry": entry}


def _auto_merge(at: Context, given: Given) -> Payload:
    """Into the queue where there is one. Elsewhere refused: nothing here merges by itself."""
    pull, _ = pull_of(at, given)
    if queue_of(pull.repo, at, pull.value.pull.base_ref) is None:
        raise ApiError(422, "Auto merge is not allowed for this repository")
    _enqueue(at, given)
    return {"pullRequest": pull, "actor": at.account(at.login)}


MUTATIONS: dict[str, Mutation] = {
    "addPullRequestReview": _add_review,
    "submitPullRequestReview": _submit_review,
    "dismissPullRequestReview": _dismiss_review,
    "updatePullRequestReview": _update_review,
    "requestReviews": _request_reviews,
    "createPullRequest": _create_pull,
    "updatePullRequest": _update_pull,
    "closePullRequest": _pull_state("closed"),
    "reopenPullRequest": _pull_state("open"),
    "convertPullRequestToDraft": _draft("convert_to_draft"),
    "markPullRequestReadyForReview": _draft("ready_for_review"),
    "mergePullRequest": _merge,
    "enqueuePullRequest": _enqueue,
    "dequeuePullRequest": _dequeue,
    "enablePullRequestAutoMerge": _auto_merge,
}
