"""Reactions to issues, pull requests and comments: /repos/{owner}/{repo}/issues/.../reactions."""

from __future__ import annotations

from bot.sandbox.http import ApiError, Call, Page, Reply, Route, invalid, not_found
from bot.sandbox.routes.issues import LOCKED, SPEAK, R, comment_of, issue_of
from bot.sandbox.shapes import issues as shapes
from bot.sandbox.store import Comment, Issue, Reaction


def _subject(call: Call) -> Comment | Issue:
    return comment_of(call) if "comment_id" in call.params else issue_of(call)


def list_reactions(call: Call) -> Page:
    subject, content = _subject(call), call.query.get("content")
    found = [one for one in call.repo.reactions if one.comment == subject.id and content in (None, one.content)]
    return Page(found, lambda one: shapes.reaction(call.links, one))


def create_reaction(call: Call) -> Reply:
    """200 when the caller has reacted so before. Raises 403 in a locked conversation."""
    subject, content = _subject(call), call.text("content", resource="Reaction")
    if call.repo.issues[subject.number].locked:
        raise ApiError(403, "Unable to create reaction because issue is locked.", docs=LOCKED)
    if content not in shapes.REACTIONS:
        raise invalid("Reaction", "content")
    key = (subject.id, call.login, content)
    for one in call.repo.reactions:
        if (one.comment, one.author, one.content) == key:
            return Reply(shapes.reaction(call.links, one), 200)
    found = Reaction(call.hub.next_id(), *key, call.hub.clock())
    call.repo.reactions.append(found)
    return Reply(shapes.reaction(call.links, found), 201)


def delete_reaction(call: Call) -> Reply:
    subject, number = _subject(call), call.number("reaction_id")
    found = [one for one in call.repo.reactions if one.id == number and one.comment == subject.id]
    if not found:
        raise not_found()
    call.repo.reactions.remove(found[0])
    return Reply(None, 204)


ROUTES = [
    route
    for subject in (R + "/issues/comments/{comment_id}/reactions", R + "/issues/{number}/reactions")
    for route in (
        Route("GET", subject, list_reactions, SPEAK),
        Route("POST", subject, create_reaction, SPEAK),
        Route("DELETE", subject + "/{reaction_id}", delete_reaction, SPEAK),
    )
]
