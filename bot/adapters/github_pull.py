"""A pull request with its conversation and its history in one GraphQL query, so that all of it is of one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.ports import Comment, PullRequest, Review, Sibling, TimelineEvent
from bot.records.event import Account

GHOST = Account(id=10137, login="ghost")  # what GitHub shows for a deleted account
KINDS: dict[str, Any] = {
    "ClosedEvent": "closed",
    "MergedEvent": "merged",
    "BaseRefChangedEvent": "base_changed",
    "AutomaticBaseChangeSucceededEvent": "base_changed",
    "ReviewDismissedEvent": "review_dismissed",
    "CommentDeletedEvent": "comment_deleted",
}
CONNECTIONS = ("comments", "reviews", "timelineItems")

# https://docs.github.com/graphql/reference/objects#pullrequest. A page of each list; the next ones are asked for alone.
QUERY = """
query PullRequest($owner: String!, $name: String!, $number: Int!,
  $comments: Boolean!, $reviews: Boolean!, $timelineItems: Boolean!,
  $commentsAfter: String, $reviewsAfter: String, $timelineItemsAfter: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      title state isDraft merged headRefOid headRefName baseRefName baseRefOid isCrossRepository
      author { ...who } mergedBy { ...who } headRepository { nameWithOwner } mergeCommit { oid }
      labels(first: 100) { nodes { name } }
      commits(last: 1) { nodes { commit { associatedPullRequests(first: 100) { nodes {
        number state headRefOid baseRefName author { ...who }
      } } } } }
      comments(first: 100, after: $commentsAfter) @include(if: $comments) {
        pageInfo { hasNextPage endCursor }
        nodes {
          fullDatabaseId body createdAt lastEditedAt viewerDidAuthor author { ...who } editor { ...who }
          userContentEdits(first: 10) { nodes { editedAt diff } }
        }
      }
      reviews(first: 100, after: $reviewsAfter) @include(if: $reviews) {
        pageInfo { hasNextPage endCursor }
        nodes { fullDatabaseId state body submittedAt commit { oid } author { ...who } }
      }
      timelineItems(first: 100, after: $timelineItemsAfter, itemTypes: [CLOSED_EVENT, MERGED_EVENT,
        BASE_REF_CHANGED_EVENT, AUTOMATIC_BASE_CHANGE_SUCCEEDED_EVENT, REVIEW_DISMISSED_EVENT,
        COMMENT_DELETED_EVENT]
      ) @include(if: $timelineItems) {
        pageInfo { hasNextPage endCursor }
        nodes {
          __typename
          ... on ClosedEvent { createdAt actor { ...who } }
          ... on MergedEvent { createdAt actor { ...who } }
          ... on BaseRefChangedEvent { createdAt actor { ...who } }
          ... on AutomaticBaseChangeSucceededEvent { createdAt actor { ...who } }
          ... on ReviewDismissedEvent { createdAt actor { ...who } previousReviewState review { fullDatabaseId } }
          ... on CommentDeletedEvent { createdAt actor { ...who } deletedCommentAuthor { ...who } }
        }
      }
    }
  }
}
fragment who on Actor {
  __typename login
  ... on User { databaseId }
  ... on Bot { databaseId }
  ... on Organization { databaseId }
  ... on Mannequin { databaseId }
}
"""


@dataclass(frozen=True)
class Snapshot:
    """A pull request and everything that was said and done on it, each list oldest first and whole."""

    pull_request: PullRequest
    comments: tuple[Comment, ...]
    reviews: tuple[Review, ...]
    timeline: tuple[TimelineEvent, ...]


def snapshot(ask: Callable[[str, Mapping[str, Any]], Any], owner: str, name: str, number: int) -> Snapshot | None:
    """All pages of a pull request; None when there is none. `ask(query, variables)` gives `data` or raises."""
    found: dict[str, list[Any]] = {one: [] for one in CONNECTIONS}
    cursors: dict[str, str | None] = dict.fromkeys(CONNECTIONS)
    pull: Any = None
    while cursors:
        variables: dict[str, Any] = {"owner": owner, "name": name, "number": number}
        variables |= {one: one in cursors for one in CONNECTIONS}
        variables |= {f"{one}After": cursor for one, cursor in cursors.items()}
        page = (ask(QUERY, variables)["repository"] or {}).get("pullRequest")
        if page is None:
            return None
        pull = pull or page
        for one in list(cursors):
            found[one] += [node for node in page[one]["nodes"] if node]
            info = page[one]["pageInfo"]
            if info["hasNextPage"]:
                cursors[one] = info["endCursor"]
            else:
                del cursors[one]
    return Snapshot(
        _pull_request(number, pull),
        tuple(map(_comment, found["comments"])),
        tuple(map(_review, found["reviews"])),
        tuple(map(_event, found["timelineItems"])),
    )


def _pull_request(number: int, found: Any) -> PullRequest:
    home = found["headRepository"]
    merge_commit = found["mergeCommit"]
    return PullRequest(
        number=number,
        title=found["title"],
        author=_account(found["author"]),
        state="open" if found["state"] == "OPEN" else "closed",
        draft=bool(found["isDraft"]),
        merged=bool(found["merged"]),
        head_sha=found["headRefOid"],
        head_ref=found["headRefName"],
        base_ref=found["baseRefName"],
        base_sha=found["baseRefOid"],
        from_fork=bool(found["isCrossRepository"]) or home is None,
        merge_commit_sha=merge_commit["oid"] if found["merged"] and merge_commit else None,
        labels=tuple(sorted(one["name"] for one in found["labels"]["nodes"])),
        merged_by=_account(found["mergedBy"]) if found["mergedBy"] else None,
        head_repository=home["nameWithOwner"] if home else None,
        siblings=tuple(_siblings(number, found)),
    )


def _siblings(number: int, found: Any) -> Iterator[Sibling]:
    here = ("OPEN", found["headRefOid"], found["baseRefName"])
    commits = [node["commit"] for node in found["commits"]["nodes"] if node]
    for one in (pull for commit in commits for pull in commit["associatedPullRequests"]["nodes"] if pull):
        if one["number"] != number and (one["state"], one["headRefOid"], one["baseRefName"]) == here:
            yield Sibling(one["number"], _account(one["author"]))


def _account(actor: Any) -> Account:
    """GraphQL leaves `[bot]` off a bot's login, and gives no account for one that is gone."""
    if actor is None or actor.get("databaseId") is None:
        return GHOST
    is_bot = actor["__typename"] == "Bot"
    login = actor["login"] + ("[bot]" if is_bot and not actor["login"].endswith("[bot]") else "")
    return Account(id=actor["databaseId"], login=login, kind="Bot" if is_bot else "User")


def _comment(found: Any) -> Comment:
    created = datetime.fromisoformat(found["createdAt"])
    edited = datetime.fromisoformat(found["lastEditedAt"]) if found["lastEditedAt"] else created
    texts = [one["diff"] for one in reversed((found["userContentEdits"] or {}).get("nodes") or ()) if one["diff"]]
    return Comment(
        id=int(found["fullDatabaseId"]),
        author=_account(found["author"]),
        body=found["body"],
        created_at=created,
        updated_at=edited,
        earlier=tuple(text for text in texts if text != found["body"]),
        is_own=bool(found["viewerDidAuthor"]),
        editor=_account(found["editor"]) if found["editor"] else None,
        reworded=found["lastEditedAt"] is not None,
    )


def _review(found: Any) -> Review:
    return Review(
        id=int(found["fullDatabaseId"]),
        author=_account(found["author"]),
        state=found["state"],
        commit_sha=found["commit"]["oid"] if found["commit"] else None,
        submitted_at=datetime.fromisoformat(found["submittedAt"]) if found["submittedAt"] else None,
        body=found["body"],
    )


def _event(found: Any) -> TimelineEvent:
    review, about = found.get("review"), found.get("deletedCommentAuthor")
    return TimelineEvent(
        kind=KINDS[found["__typename"]],
        at=datetime.fromisoformat(found["createdAt"]),
        actor=_account(found["actor"]) if found["actor"] else None,
        review_id=int(review["fullDatabaseId"]) if review else None,
        review_state=found.get("previousReviewState"),
        about=_account(about) if about else None,
    )
