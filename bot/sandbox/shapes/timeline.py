"""Events of issues and pull requests, alone and among comments, reviews and commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.sandbox import history
from bot.sandbox.shapes import commits, issues, pulls
from bot.sandbox.shapes.basics import Links, iso, node
from bot.sandbox.store import Event, Issue, Repository

Shape = dict[str, Any]


def event(links: Links, repository: Repository, found: Event, *, named: bool) -> Shape:
    """GitHub's `issue-event` without its issue. `named` tells that the caller may see who locked a conversation."""
    commit = found.detail.get("after" if found.kind == "head_ref_force_pushed" else "commit")
    is_hidden = found.kind in ("locked", "unlocked") and not named
    return {
        "id": found.id,
        "node_id": node("IssueEvent", found.id),
        "url": f"{links.repo(repository)}/issues/events/{found.id}",
        "actor": None if is_hidden else links.account_or_none(found.actor),
        "event": found.kind,
        "commit_id": None if found.kind == "review_dismissed" else commit,
        "commit_url": f"{links.repo(repository)}/commits/{commit}" if commit else None,
        "created_at": iso(found.at),
        "performed_via_github_app": links.app(links.app_of(found.actor)),
    } | _special(links, found)


def _special(links: Links, found: Event) -> Shape:
    """What only this kind of event has."""
    detail, about = found.detail, links.account_or_none(found.about)
    if found.kind in ("labeled", "unlabeled"):
        return {"label": {"name": detail["label"], "color": detail["color"]}}
    if found.kind in ("assigned", "unassigned"):
        return {"assignee": about, "assigner": links.account_or_none(found.actor)}
    if found.kind in ("review_requested", "review_request_removed"):
        return {"review_requester": links.account_or_none(found.actor), "requested_reviewer": about}
    if found.kind == "review_dismissed":
        told = {
            "state": detail["state"],
            "review_id": int(detail["review"]),
            "dismissal_message": detail.get("message"),
        }
        return {"dismissed_review": told | ({"dismissal_commit_id": detail["commit"]} if "commit" in detail else {})}
    if found.kind in ("locked", "unlocked"):
        return {"lock_reason": detail.get("lock_reason")}
    if found.kind == "renamed":
        return {"rename": {"from": detail["from"], "to": detail["to"]}}
    return {"state_reason": detail.get("state_reason")} if found.kind in ("closed", "reopened") else {}


@dataclass(frozen=True)
class Entry:
    """One thing of a timeline: where it stands, and GitHub's shape of it."""

    at: datetime
    id: int
    place: int
    shape: Shape


def timeline(links: Links, repository: Repository, found: Issue, *, named: bool) -> list[Shape]:
    """Everything that GitHub shows below an issue or pull request, oldest first."""
    entries = _said(links, repository, found)
    for one in history.events_of(repository, found.number):
        if one.kind == "cross-referenced":
            entries.append(Entry(one.at, one.id, 0, _cross_reference(links, repository, one)))
        elif history.KINDS[one.kind].in_timeline:
            entries.append(Entry(one.at, one.id, 0, event(links, repository, one, named=named)))
    if found.pull:
        entries += _commits(links, repository, found)
    return [one.shape for one in sorted(entries, key=lambda one: (one.at, one.id, one.place))]


def _said(links: Links, repository: Repository, found: Issue) -> list[Entry]:
    """Comments, and reviews that were submitted."""
    entries = []
    for comment in repository.comments.values():
        if comment.number == found.number:
            shape = issues.comment(links, repository, comment)
            shape |= {"event": "commented", "actor": shape["user"]}
            entries.append(Entry(comment.created_at, comment.id, 0, shape))
    for review in repository.reviews.values():
        if review.number == found.number and review.submitted_at is not None:
            shape = pulls.review(links, repository, review)
            shape |= {"event": "reviewed", "state": review.state.lower()}
            entries.append(Entry(review.submitted_at, review.id, 0, shape))
    return entries


def _cross_reference(links: Links, repository: Repository, found: Event) -> Shape:
    source = repository.issues[int(found.detail["source"])]
    return {
        "actor": links.account_or_none(found.actor),
        "created_at": iso(found.at),
        "updated_at": iso(found.at),
        "source": {"type": "issue", "issue": issues.issue(links, repository, source)},
        "event": "cross-referenced",
    }


def _commits(links: Links, repository: Repository, found: Issue) -> list[Entry]:
    """The commits that the pull request has now, each where the push stands that brought it."""
    return [
        Entry(push.at, push.id, place, commits.git_commit(links, repository, one) | {"event": "committed"})
        for push, place, one in placed_commits(links, repository, found)
    ]


def placed_commits(links: Links, repository: Repository, found: Issue) -> list[tuple[Event, int, Any]]:
    """(the push that brought it, its place among what came with it, commit) of a pull request's present commits."""
    assert found.pull is not None
    bare = links.hub.bare(repository)
    base, head = pulls.range_of(links, repository, found.pull)
    left = {str(one.id): one for one in bare.between(base, head)[: pulls.COMMIT_CAP]}
    placed = []
    for push in history.events_of(repository, found.number):
        if push.kind not in ("opened", "pushed") or bare.object(push.detail["after"]) is None:
            continue
        brought = [str(one.id) for one in bare.between(base, push.detail["after"])]
        placed += [(push, place, left.pop(sha)) for place, sha in enumerate(brought) if sha in left]
    return placed
