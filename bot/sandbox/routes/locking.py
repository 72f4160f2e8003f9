"""Locked conversations: /repos/{owner}/{repo}/issues/{number}/lock, and what a lock refuses.

https://docs.github.com/communities/moderating-comments-and-conversations/locking-conversations: people with write
access may still speak, nobody may react. An app is no such person, and neither is a workflow's token.
"""

from __future__ import annotations

from bot.sandbox import history
from bot.sandbox.http import ApiError, Call, Reply, Route
from bot.sandbox.routes.issues import SPEAK, R, issue_event, issue_of
from bot.sandbox.store import Issue

REASONS = ("off-topic", "too heated", "resolved", "spam")


def lock(call: Call) -> Reply:
    found, reason = issue_of(call), call.get("lock_reason")
    if reason not in (None, *REASONS):
        raise ApiError(422, f"Invalid request.\n\n{reason!r} is not a member of {list(REASONS)}.")
    if not found.locked:
        _set(call, found, reason)
    return Reply(None, 204)


def unlock(call: Call) -> Reply:
    found = issue_of(call)
    if found.locked:
        _set(call, found, None, locked=False)
    return Reply(None, 204)


def _set(call: Call, found: Issue, reason: str | None, *, locked: bool = True) -> None:
    found.locked, found.lock_reason = locked, reason
    kind = "locked" if locked else "unlocked"
    history.record(call.hub, call.repo, found.number, call.login, kind, {"lock_reason": reason})
    issue_event(call, found, kind)


ROUTES = [
    Route("PUT", R + "/issues/{number}/lock", lock, SPEAK, "write"),
    Route("DELETE", R + "/issues/{number}/lock", unlock, SPEAK, "write"),
]
