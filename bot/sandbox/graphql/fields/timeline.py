"""Everything that happened to an issue or pull request, in the order in which it happened."""

from __future__ import annotations

from datetime import datetime

from bot.sandbox import history
from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields.interface import Args, Field, constant, enum, path_of
from bot.sandbox.graphql.fields.refs import git_object, ref
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.shapes.basics import iso, node
from bot.sandbox.shapes.pulls import COMMIT_CAP, range_of
from bot.sandbox.store import Label

# the store's word -> the type of GitHub's schema
TYPES = {
    "added_to_merge_queue": "AddedToMergeQueueEvent",
    "assigned": "AssignedEvent",
    "automatic_base_change_succeeded": "AutomaticBaseChangeSucceededEvent",
    "base_ref_changed": "BaseRefChangedEvent",
    "base_ref_deleted": "BaseRefDeletedEvent",
    "base_ref_force_pushed": "BaseRefForcePushedEvent",
    "closed": "ClosedEvent",
    "comment_deleted": "CommentDeletedEvent",
    "convert_to_draft": "ConvertToDraftEvent",
    "cross-referenced": "CrossReferencedEvent",
    "head_ref_deleted": "HeadRefDeletedEvent",
    "head_ref_force_pushed": "HeadRefForcePushedEvent",
    "head_ref_restored": "HeadRefRestoredEvent",
    "labeled": "LabeledEvent",
    "locked": "LockedEvent",
    "mentioned": "MentionedEvent",
    "merged": "MergedEvent",
    "ready_for_review": "ReadyForReviewEvent",
    "referenced": "ReferencedEvent",
    "removed_from_merge_queue": "RemovedFromMergeQueueEvent",
    "renamed": "RenamedTitleEvent",
    "reopened": "ReopenedEvent",
    "review_dismissed": "ReviewDismissedEvent",
    "review_request_removed": "ReviewRequestRemovedEvent",
    "review_requested": "ReviewRequestedEvent",
    "subscribed": "SubscribedEvent",
    "unassigned": "UnassignedEvent",
    "unlabeled": "UnlabeledEvent",
    "unlocked": "UnlockedEvent",
}


def timeline(thing: Thing, at: Context, args: Args) -> Connection:
    """`itemTypes` and `since` leave out, `skip` passes over the first."""
    everything = at.once("timeline", thing, lambda: _everything(thing, at))
    types, since = args.get("itemTypes"), args.get("since") or ""
    kept = [one for when, one in everything if (not types or _word(one.kind) in types) and iso(when) >= since]
    skipped = kept[args.get("skip") or 0 :]
    counts = {"filteredCount": len(skipped), "pageCount": len(skipped), "updatedAt": iso(thing.value.updated_at)}
    return Connection(skipped, args, extra=counts)


def _word(kind: str) -> str:
    """A type's name as `itemTypes` has it: LABELED_EVENT for LabeledEvent."""
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in kind).lstrip("_")


def _everything(thing: Thing, at: Context) -> list[tuple[datetime, Thing]]:
    number, home = thing.value.number, thing.repo
    found: list[tuple[datetime, int, Thing]] = []
    for event in history.events_of(home, number):
        if event.kind in TYPES:
            found.append((event.at, event.id, Thing(TYPES[event.kind], event, home)))
    for comment in home.comments.values():
        if comment.number == number:
            found.append((comment.created_at, comment.id, Thing("IssueComment", comment, home)))
    for review in home.reviews.values():
        if review.number == number and review.submitted_at:
            found.append((review.submitted_at, review.id, Thing("PullRequestReview", review, home)))
    if thing.value.pull:
        found += _commits(thing, at)
    return [(when, one) for when, _, one in sorted(found, key=lambda row: row[:2])]


def _commits(thing: Thing, at: Context) -> list[tuple[datetime, int, Thing]]:
    """The commits of now, each where the push stands that brought it."""
    bare, (base, head) = at.hub.bare(thing.repo), range_of(at.links, thing.repo, thing.value.pull)
    waiting = {str(one.id): one for one in bare.between(base, head)[:COMMIT_CAP]}
    found = []
    for event in history.events_of(thing.repo, thing.value.number):
        if event.kind not in ("opened", "pushed") or not waiting or bare.object(event.detail["after"]) is None:
            continue
        for commit in bare.between(base, event.detail["after"]):
            if one := waiting.pop(str(commit.id), None):
                found.append((event.at, event.id, Thing("PullRequestCommit", (thing, one), thing.repo)))
    last = thing.value.updated_at
    return [*found, *((last, 0, Thing("PullRequestCommit", (thing, one), thing.repo)) for one in waiting.values())]


# --- fields of events


def _subject(thing: Thing, _at: Context, _args: Args) -> Thing:
    issue = thing.repo.issues[thing.value.number]
    return Thing("PullRequest" if issue.pull else "Issue", issue, thing.repo)


def _detail(name: str) -> Field:
    return lambda thing, _at, _: thing.value.detail.get(name)


def _commit(name: str) -> Field:
    """The commit that the event names, None when it is not in the repository (any more)."""

    def field(thing: Thing, at: Context, _args: Args) -> Thing | None:
        sha = thing.value.detail.get(name)
        return git_object(thing, at, sha) if sha else None

    return field


def _ref(thing: Thing, at: Context, _args: Args) -> Thing | None:
    name = f"refs/heads/{thing.value.detail.get('ref')}"
    sha = at.hub.bare(thing.repo).ref(name)
    return ref(thing.repo, name, sha) if sha else None


def _label(thing: Thing, _at: Context, _args: Args) -> Thing:
    """The label of now, or what it was called when it is gone."""
    detail = thing.value.detail
    known = thing.repo.labels.get(detail["label"])
    return Thing("Label", known or Label(0, detail["label"], detail.get("color", "ededed")), thing.repo)


def _about(thing: Thing, at: Context, _args: Args) -> Thing | None:
    return at.account(thing.value.about)


def _reviewer(thing: Thing, at: Context, args: Args) -> Thing | None:
    """Who was asked: a person or a team."""
    team = at.hub.data.teams.get(thing.value.detail.get("team", ""))
    return Thing("Team", team) if team else _about(thing, at, args)


def _review(thing: Thing, _at: Context, _args: Args) -> Thing | None:
    found = thing.repo.reviews.get(int(thing.value.detail.get("review", 0)))
    return Thing("PullRequestReview", found, thing.repo) if found else None


def _page(thing: Thing, at: Context, _args: Args) -> str:
    issue = _subject(thing, at, {})
    kind = "pull" if issue.kind == "PullRequest" else "issues"
    return f"{at.links.page(thing.repo)}/{kind}/{issue.value.number}#event-{thing.value.id}"


def _source(thing: Thing, _at: Context, _args: Args) -> Thing | None:
    found = thing.repo.issues.get(int(thing.value.detail.get("source", 0)))
    return Thing("PullRequest" if found.pull else "Issue", found, thing.repo) if found else None


def _dismissed_at(thing: Thing, at: Context, args: Args) -> Thing | None:
    commit = _commit("commit")(thing, at, args)
    return Thing("PullRequestCommit", (_subject(thing, at, {}), commit.value), thing.repo) if commit else None


def _queue(thing: Thing, at: Context, args: Args) -> Thing | None:
    from bot.sandbox.graphql.fields.queue import queue_of

    pull = _subject(thing, at, args).value.pull
    return queue_of(thing.repo, at, pull.base_ref) if pull else None


def _event(kind: str) -> dict[str, Field]:
    return {
        "id": lambda thing, _at, _: node(kind, thing.value.id),
        "databaseId": lambda thing, _at, _: thing.value.id,
        "createdAt": lambda thing, _at, _: iso(thing.value.at),
        "actor": lambda thing, at, _: at.account(thing.value.actor),
        "url": _page,
        "resourcePath": lambda thing, at, args: path_of(_page(thing, at, args), at),
    } | dict.fromkeys(
        ("pullRequest", "closable", "labelable", "lockable", "assignable", "subject", "target", "subscribable"),
        _subject,
    )


_MOVED: dict[str, Field] = {"beforeCommit": _commit("before"), "afterCommit": _commit("after"), "ref": _ref}
_QUEUE: dict[str, Field] = {
    "enqueuer": lambda thing, at, _: at.account(thing.value.actor),
    "mergeQueue": _queue,
    "beforeCommit": _commit("before"),
    "reason": _detail("reason"),
}
_ASSIGNED: dict[str, Field] = {"assignee": _about, "user": _about}

# type -> what it says besides who and when
_MORE: dict[str, dict[str, Field]] = {
    "AddedToMergeQueueEvent": _QUEUE,
    "AssignedEvent": _ASSIGNED,
    "AutomaticBaseChangeSucceededEvent": {"oldBase": _detail("from"), "newBase": _detail("to")},
    "BaseRefChangedEvent": {"previousRefName": _detail("from"), "currentRefName": _detail("to")},
    "BaseRefDeletedEvent": {"baseRefName": _detail("ref")},
    "BaseRefForcePushedEvent": _MOVED,
    "ClosedEvent": {
        "closer": _commit("commit"),
        "stateReason": lambda thing, _at, _: enum(thing.value.detail.get("state_reason")),
    },
    "CommentDeletedEvent": {"deletedCommentAuthor": _about},
    "CrossReferencedEvent": {
        "source": _source,
        "isCrossRepository": constant(False),
        "willCloseTarget": constant(False),
        "referencedAt": lambda thing, _at, _: iso(thing.value.at),
    },
    "HeadRefDeletedEvent": {"headRefName": _detail("ref"), "headRef": _ref},
    "HeadRefForcePushedEvent": _MOVED,
    "LabeledEvent": {"label": _label},
    "LockedEvent": {"lockReason": lambda thing, _at, _: enum(thing.value.detail.get("lock_reason"))},
    "MergedEvent": {"commit": _commit("commit"), "mergeRefName": _detail("ref"), "mergeRef": _ref},
    "ReferencedEvent": {
        "commit": _commit("commit"),
        "commitRepository": lambda thing, _at, _: Thing("Repository", thing.repo, thing.repo),
        "isCrossRepository": constant(False),
        "isDirectReference": constant(True),
    },
    "RemovedFromMergeQueueEvent": _QUEUE,
    "RenamedTitleEvent": {"previousTitle": _detail("from"), "currentTitle": _detail("to")},
    "ReopenedEvent": {"stateReason": lambda thing, _at, _: enum(thing.value.detail.get("state_reason"))},
    "ReviewDismissedEvent": {
        "review": _review,
        "previousReviewState": lambda thing, _at, _: enum(thing.value.detail.get("state")),
        "dismissalMessage": _detail("message"),
        "dismissalMessageHTML": _detail("message"),
        "pullRequestCommit": _dismissed_at,
    },
    "ReviewRequestRemovedEvent": {"requestedReviewer": _reviewer},
    "ReviewRequestedEvent": {"requestedReviewer": _reviewer},
    "UnassignedEvent": _ASSIGNED,
    "UnlabeledEvent": {"label": _label},
}

FIELDS: dict[str, dict[str, Field]] = {kind: _event(kind) | _MORE.get(kind, {}) for kind in TYPES.values()}
