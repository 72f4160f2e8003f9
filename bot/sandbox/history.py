"""What happened to issues and pull requests, in GitHub's words, and every wording that a body ever had."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.sandbox.hub import Hub
from bot.sandbox.store import Comment, Edit, Event, Issue, Repository, Review

_NAMES = re.compile(r"(?<![\w/`])@([A-Za-z0-9][A-Za-z0-9_-]*)")
_NUMBERS = re.compile(r"(?<![\w/&`])#(\d{1,9})\b")


@dataclass(frozen=True)
class Kind:
    """Where GitHub shows a kind of event, and the names of what is known about it."""

    detail: tuple[str, ...] = ()
    in_events: bool = True
    in_timeline: bool = True


# https://docs.github.com/rest/using-the-rest-api/issue-event-types says which list shows which event. It has no word of
# `comment_deleted`, `base_ref_force_pushed` and the merge queue's; GraphQL has them in its timeline.
KINDS: dict[str, Kind] = {
    "added_to_merge_queue": Kind(),
    "assigned": Kind(),
    "automatic_base_change_succeeded": Kind(("from", "to"), in_timeline=False),
    "base_ref_changed": Kind(("from", "to"), in_timeline=False),
    "base_ref_deleted": Kind(("ref",)),
    "base_ref_force_pushed": Kind(("ref", "before", "after")),
    "closed": Kind(("state_reason", "commit")),
    "comment_deleted": Kind(),
    "convert_to_draft": Kind(),
    "cross-referenced": Kind(("source",), in_events=False),
    "head_ref_deleted": Kind(("ref",)),
    "head_ref_force_pushed": Kind(("ref", "before", "after")),
    "head_ref_restored": Kind(("ref",)),
    "labeled": Kind(("label", "color")),
    "locked": Kind(("lock_reason",)),
    "mentioned": Kind(),
    "merged": Kind(("commit", "ref")),
    "ready_for_review": Kind(),
    "referenced": Kind(("commit",)),
    "removed_from_merge_queue": Kind(("reason", "before")),
    "renamed": Kind(("from", "to")),
    "reopened": Kind(("state_reason",)),
    "review_dismissed": Kind(("review", "state", "message", "commit")),
    "review_request_removed": Kind(),
    "review_requested": Kind(),
    "subscribed": Kind(),
    "unassigned": Kind(),
    "unlabeled": Kind(("label", "color")),
    "unlocked": Kind(("lock_reason",)),
    # GitHub lists the commits themselves where these stand
    "opened": Kind(("base", "after"), in_events=False, in_timeline=False),
    "pushed": Kind(("before", "after"), in_events=False, in_timeline=False),
}


_SILENT = ("mentioned", "subscribed", "referenced", "head_ref_deleted")  # these change nothing that `updated_at` tells


def record(
    hub: Hub,
    repository: Repository,
    number: int,
    actor: str,
    kind: str,
    detail: Mapping[str, str | None] | None = None,
    *,
    about: str | None = None,
) -> Event:
    """Note that `actor` did something to an issue or pull request.

    `detail` holds what `KINDS` names for the kind, None or left out for what is not known; `about` is the account that
    it was done to. Raises ValueError for words that `KINDS` does not have.
    """
    known = {name: value for name, value in (detail or {}).items() if value is not None}
    if kind not in KINDS or set(detail or {}) - set(KINDS[kind].detail):
        raise ValueError(f"{kind} {sorted(detail or {})}: no event of GitHub's")
    event = Event(hub.next_id(), number, hub.clock(), actor, kind, known, about)
    repository.events.append(event)
    if kind not in _SILENT:
        repository.issues[number].updated_at = event.at
    return event


def events_of(repository: Repository, number: int) -> list[Event]:
    """What happened to one issue or pull request, oldest first."""
    return [one for one in repository.events if one.number == number]


def mention(hub: Hub, repository: Repository, number: int, actor: str, text: str | None) -> None:
    """Note whom a new text names, and which other issues and pull requests: each of those once a source."""
    for name in dict.fromkeys(_NAMES.findall(text or "")):
        if name in hub.data.people and name != actor:
            record(hub, repository, number, name, "mentioned")
            record(hub, repository, number, name, "subscribed")
    source = {"source": str(number)}
    for other in dict.fromkeys(map(int, _NUMBERS.findall(text or ""))):
        known = [one.detail for one in events_of(repository, other) if one.kind == "cross-referenced"]
        if other in repository.issues and other != number and source not in known:
            record(hub, repository, other, actor, "cross-referenced", source)


def refer(hub: Hub, repository: Repository, actor: str, pushed: Iterable[Any]) -> None:
    """Note which issues and pull requests the messages of pushed commits name; a merge names its own for nothing."""
    for commit in pushed:
        sha = str(commit.id)
        for number in dict.fromkeys(map(int, _NUMBERS.findall(commit.message))):
            found = repository.issues.get(number)
            known = [one.detail.get("commit") for one in events_of(repository, number) if one.kind == "referenced"]
            if found and sha not in known and not (found.pull and found.pull.merge_commit_sha == sha):
                record(hub, repository, number, actor, "referenced", {"commit": sha})


def reword(hub: Hub, found: Comment | Review | Issue, editor: str, text: str) -> str:
    """Give a body another wording and keep the one before, which is returned. The same words again are no edit."""
    before, now = found.body or "", hub.clock()
    if text == before:
        return before
    if not found.edits:
        written = found.submitted_at or now if isinstance(found, Review) else found.created_at
        found.edits.append(Edit(hub.next_id(), found.author, written, before))
    found.edits.append(Edit(hub.next_id(), editor, now, text))
    found.body = text
    if isinstance(found, Comment):
        # times have whole seconds; an edit within the first one shall still be seen as an edit
        found.updated_at = max(now, found.created_at + timedelta(seconds=1))
    return before
