"""One function an event of GitHub's: payload in, closed Event out. `EVENTS` is the written list."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.receive.payload import Payload
from bot.records.event import (
    CommentChanged,
    CommentCreated,
    Dispatched,
    Event,
    Ignored,
    MergeGroupRequested,
    PullRequestChanged,
    Pushed,
    ReviewChanged,
    Scheduled,
)

PULL_REQUEST_ACTIONS = (
    "opened",
    "synchronize",
    "reopened",
    "ready_for_review",
    "converted_to_draft",
    "edited",
    "labeled",
    "unlabeled",
)
REVIEW_ACTIONS = ("submitted", "edited", "dismissed")
MAX_COMMENT_CHARACTERS = 300_000  # GitHub's own cap is 65,536 characters; room for a change of mind
_BRANCH = "refs/heads/"
_QUEUED = re.compile(r"/pr-([1-9][0-9]{0,9})-[0-9a-f]{40,64}$", re.ASCII)  # how GitHub ends a group's branch


def pull_request(payload: Payload) -> Event:
    """A change of the head, the base or the state; an edit of words only is ignored."""
    action = payload.text("action")
    if action not in PULL_REQUEST_ACTIONS:
        return Ignored(reason=f"pull request {action}")
    if action == "edited" and payload.get("changes.base") is None:
        return Ignored(reason="pull request edited in its words only")
    return PullRequestChanged(
        number=payload.number("pull_request.number"),
        action=action,
        head_sha=payload.sha("pull_request.head.sha"),
        base_ref=payload.text("pull_request.base.ref"),
        from_fork=_is_from_fork(payload),
        draft=payload.flag("pull_request.draft"),
        sender=payload.account("sender"),
    )


def _is_from_fork(payload: Payload) -> bool:
    # a deleted fork has no head repository any more
    head = payload.get("pull_request.head.repo.id")
    return head is None or head != payload.number("pull_request.base.repo.id")


def issue_comment(payload: Payload) -> Event:
    """A comment of a person on a pull request, as it was created; an edited or deleted one is only read anew."""
    action = payload.text("action")
    if action not in ("created", "edited", "deleted"):
        return Ignored(reason=f"comment {action}")
    if payload.get("issue.pull_request") is None:
        return Ignored(reason="comment on an issue, not on a pull request")
    author, sender = payload.account("comment.user"), payload.account("sender")
    if author.kind != "User":
        return Ignored(reason=f"comment by a {author.kind.lower()}")
    if action != "created":
        return _changed(payload)
    if author.id != sender.id:
        return Ignored(reason="comment sent by another account than its author")
    return CommentCreated(
        number=payload.number("issue.number"),
        comment_id=payload.number("comment.id"),
        body=payload.text("comment.body", limit=MAX_COMMENT_CHARACTERS),
        author=author,
        sender=sender,
    )


def _changed(payload: Payload) -> Event:
    """Somebody's words are others now, or gone; whoever changed them."""
    before = payload.get("changes.body.from")
    texts = (payload.text("comment.body", limit=MAX_COMMENT_CHARACTERS), before if isinstance(before, str) else "")
    if not any(line.startswith("/") for text in texts for line in text.splitlines()):
        return Ignored(reason="comment changed that holds no command")
    return CommentChanged(number=payload.number("issue.number"), comment_id=payload.number("comment.id"))


def pull_request_review(payload: Payload) -> Event:
    """A review changed; what it says is read again from GitHub, never from here."""
    action = payload.text("action")
    if action not in REVIEW_ACTIONS:
        return Ignored(reason=f"review {action}")
    return ReviewChanged(number=payload.number("pull_request.number"), head_sha=payload.sha("pull_request.head.sha"))


def workflow_run(payload: Payload) -> Event:
    """One of the two unprivileged workflows ended, which stand for an event and may do nothing themselves."""
    name, event = str(payload.get("workflow_run.name")), str(payload.get("workflow_run.event"))
    read = {("review", "pull_request_review"): _reviewed, ("merge-group", "merge_group"): _grouped}.get((name, event))
    if read is None:
        return Ignored(reason=f"run of another workflow than review and merge-group: {name[:80]!r}")
    action = payload.text("action")
    return read(payload) if action == "completed" else Ignored(reason=f"workflow run {action}")


def _reviewed(payload: Payload) -> Event:
    """Which commit was reviewed, and which pull request when GitHub names exactly one."""
    listed = payload.get("workflow_run.pull_requests")
    numbers = [one.get("number") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    known = len(numbers) == 1 and type(numbers[0]) is int and numbers[0] > 0
    return ReviewChanged(number=numbers[0] if known else None, head_sha=payload.sha("workflow_run.head_sha"))


def _grouped(payload: Payload) -> Event:
    """The merge queue asks for checks; only a queue writes branches of this name."""
    branch = payload.text("workflow_run.head_branch")
    if not branch.startswith("gh-readonly-queue/"):
        return Ignored(reason="run of merge-group outside the merge queue")
    named = _QUEUED.search(branch)
    return MergeGroupRequested(head_sha=payload.sha("workflow_run.head_sha"), number=int(named[1]) if named else None)


def push(payload: Payload) -> Event:
    """A branch moved; deleted branches, tags and the bot's own branches are ignored."""
    ref = payload.text("ref")
    if not ref.startswith(_BRANCH):
        return Ignored(reason="push of something else than a branch")
    if ref.startswith(_BRANCH + "mlbot/"):
        return Ignored(reason="push to the bot's own branch")
    if payload.flag("deleted"):
        return Ignored(reason="branch deleted")
    return Pushed(ref=ref, before=payload.sha("before"), after=payload.sha("after"), sender=payload.account("sender"))


def workflow_dispatch(payload: Payload) -> Event:
    """A workflow started by hand or by the bot; absent inputs are left out, all others are text."""
    inputs = payload.get("inputs") or {}
    if not isinstance(inputs, dict) or not all(isinstance(value, str | bool | int | None) for value in inputs.values()):
        raise payload.wrong("inputs", "expected text by name")
    return Dispatched(
        workflow=payload.workflow,
        inputs={name: _input(value) for name, value in inputs.items() if value is not None},
        sender=payload.account("sender"),
    )


def _input(value: str | bool | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def schedule(payload: Payload) -> Event:
    """A cron line came due."""
    return Scheduled(schedule=payload.text("schedule"))


EVENTS: dict[str, Callable[[Payload], Event]] = {
    "pull_request": pull_request,
    "pull_request_target": pull_request,
    "issue_comment": issue_comment,
    "pull_request_review": pull_request_review,
    "workflow_run": workflow_run,
    "push": push,
    "workflow_dispatch": workflow_dispatch,
    "schedule": schedule,
}
