"""What happened, in GitHub's words: /repos/{owner}/{repo}/issues/events, /issues/{number}/events and /timeline."""

from __future__ import annotations

from typing import Any

from bot.sandbox import history
from bot.sandbox.http import Call, Page, Reply, Route, not_found
from bot.sandbox.routes.issues import SPEAK, R, issue_of
from bot.sandbox.shapes import issues, timeline
from bot.sandbox.store import Event


def _listed(event: Event) -> bool:
    return history.KINDS[event.kind].in_events


def _shape(call: Call, event: Event, *, with_issue: bool) -> dict[str, Any]:
    shape = timeline.event(call.links, call.repo, event, named=call.at_least("write"))
    if not with_issue:
        return shape
    return shape | {"issue": issues.issue(call.links, call.repo, call.repo.issues[event.number])}


def issue_events(call: Call) -> Page:
    found = [one for one in history.events_of(call.repo, issue_of(call).number) if _listed(one)]
    return Page(found, lambda one: _shape(call, one, with_issue=False))


def all_events(call: Call) -> Page:
    """Of the whole repository, newest first."""
    found = [one for one in reversed(call.repo.events) if _listed(one)]
    return Page(found, lambda one: _shape(call, one, with_issue=True))


def get_event(call: Call) -> Reply:
    for one in call.repo.events:
        if one.id == call.number("event_id") and _listed(one):
            return Reply(_shape(call, one, with_issue=True))
    raise not_found()


def issue_timeline(call: Call) -> Page:
    found = timeline.timeline(call.links, call.repo, issue_of(call), named=call.at_least("write"))
    return Page(found, lambda one: one)


ROUTES = [
    Route("GET", R + "/issues/events", all_events, SPEAK),
    Route("GET", R + "/issues/events/{event_id}", get_event, SPEAK),
    Route("GET", R + "/issues/{number}/events", issue_events, SPEAK),
    Route("GET", R + "/issues/{number}/timeline", issue_timeline, SPEAK),
]
