"""Reviews: /repos/{owner}/{repo}/pulls/{number}/reviews."""

from __future__ import annotations

from bot.sandbox import events, history
from bot.sandbox.http import ApiError, Call, Page, Reply, Route, not_found
from bot.sandbox.routes.issues import R
from bot.sandbox.routes.pulls import PULLS, pull_of
from bot.sandbox.shapes import pulls as shapes
from bot.sandbox.store import Issue, Review

STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED", "": "PENDING"}


def list_reviews(call: Call) -> Page:
    found, _ = pull_of(call)
    me = call.token.login if call.token else ""
    listed = [
        one
        for one in call.repo.reviews.values()
        if one.number == found.number and (one.state != "PENDING" or one.author == me)
    ]
    return Page(listed, lambda one: shapes.review(call.links, call.repo, one))


def create_review(call: Call) -> Reply:
    found, pull = pull_of(call)
    body = call.text("body", resource="PullRequestReview", default="")
    event = call.text("event", resource="PullRequestReview", default="")
    _refuse(call, found, event, body)
    commit = call.get("commit_id") or pull.head_sha
    if call.hub.bare(call.repo).object(commit) is None:
        raise ApiError(422, "Unprocessable Entity", ["No commit found for the commit_id"])
    at = call.hub.clock() if event else None
    review = Review(call.hub.next_id(), found.number, call.login, STATES[event], body, commit, at)
    call.repo.reviews[review.id] = review
    if event:
        _submitted(call, found, review)
    return Reply(shapes.review(call.links, call.repo, review))


def _refuse(call: Call, found: Issue, event: str, body: str) -> None:
    if event not in STATES:
        raise ApiError(422, f"Invalid request.\n\nFor 'properties/event', {event!r} is not a member of the enum.")
    if found.author == call.login and event in ("APPROVE", "REQUEST_CHANGES"):
        word = "approve" if event == "APPROVE" else "request changes on"
        raise ApiError(422, "Unprocessable Entity", [f"Can not {word} your own pull request"])
    if call.is_shut_out(found.locked):
        raise ApiError(422, "Unprocessable Entity", ["lock prevents review"])
    if event in ("REQUEST_CHANGES", "COMMENT") and not body:
        raise ApiError(422, "Unprocessable Entity", ["Body can't be blank"])
    if call.by_run and event == "APPROVE" and not call.repo.runs_approve:
        raise ApiError(422, "Unprocessable Entity", ["GitHub Actions is not permitted to approve pull requests."])


def _submitted(call: Call, found: Issue, review: Review) -> None:
    found.updated_at = call.hub.clock()
    if found.pull and call.login in found.pull.reviewers:
        found.pull.reviewers.remove(call.login)
    history.mention(call.hub, call.repo, found.number, call.login, review.body)
    events.review_event(call.hub, call.repo, review, "submitted", call.login, call.by_run)


def review_of(call: Call) -> tuple[Issue, Review]:
    found, _ = pull_of(call)
    review = call.repo.reviews.get(call.number("review_id"))
    if review is None or review.number != found.number:
        raise not_found()
    return found, review


def get_review(call: Call) -> Reply:
    return Reply(shapes.review(call.links, call.repo, review_of(call)[1]))


def delete_review(call: Call) -> Reply:
    """Of one that was not submitted yet; what was submitted can only be dismissed."""
    _, review = review_of(call)
    if review.author != call.login:
        raise not_found()
    if review.state != "PENDING":
        raise ApiError(422, "Unprocessable Entity", ["Can not delete a non-pending pull request review"])
    shape = shapes.review(call.links, call.repo, review)
    del call.repo.reviews[review.id]
    return Reply(shape)


def edit_review(call: Call) -> Reply:
    _, review = review_of(call)
    if review.author != call.login:
        raise ApiError(403, "Resource not accessible by personal access token")
    text = call.text("body", resource="PullRequestReview")
    before = history.reword(call.hub, review, call.login, text)
    if before != text:
        changes = {"body": {"from": before}}
        events.review_event(call.hub, call.repo, review, "edited", call.login, call.by_run, changes=changes)
    return Reply(shapes.review(call.links, call.repo, review))


def submit_review(call: Call) -> Reply:
    found, review = review_of(call)
    event = call.text("event", resource="PullRequestReview")
    _refuse(call, found, event, review.body or call.get("body", ""))
    if review.state != "PENDING":
        raise ApiError(422, "Unprocessable Entity", ["The review was already submitted."])
    review.state, review.submitted_at = STATES[event], call.hub.clock()
    review.body = call.get("body") or review.body
    _submitted(call, found, review)
    return Reply(shapes.review(call.links, call.repo, review))


def dismiss_review(call: Call) -> Reply:
    found, review = review_of(call)
    message = call.text("message", resource="PullRequestReview")
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise ApiError(422, "Unprocessable Entity", [f"Can not dismiss a {review.state.lower()} pull request review"])
    told = {"review": str(review.id), "state": review.state.lower(), "message": message}
    history.record(call.hub, call.repo, found.number, call.login, "review_dismissed", told, about=review.author)
    review.state = "DISMISSED"
    events.review_event(call.hub, call.repo, review, "dismissed", call.login, call.by_run)
    return Reply(shapes.review(call.links, call.repo, review))


ROUTES = [
    Route("GET", R + "/pulls/{number}/reviews", list_reviews, PULLS),
    Route("POST", R + "/pulls/{number}/reviews", create_review, PULLS),
    Route("GET", R + "/pulls/{number}/reviews/{review_id}", get_review, PULLS),
    Route("DELETE", R + "/pulls/{number}/reviews/{review_id}", delete_review, PULLS),
    Route("PUT", R + "/pulls/{number}/reviews/{review_id}", edit_review, PULLS),
    Route("POST", R + "/pulls/{number}/reviews/{review_id}/events", submit_review, PULLS),
    Route("PUT", R + "/pulls/{number}/reviews/{review_id}/dismissals", dismiss_review, PULLS, "write"),
]
