"""What people wrote: bodies with their authors, edits and reactions; of issues, pull requests, comments and reviews."""

from __future__ import annotations

import html
import re
from datetime import datetime
from typing import Any

from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields.interface import Args, Field, constant, empty, path_of
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.pages.markdown import render
from bot.sandbox.shapes.basics import iso, maybe, node
from bot.sandbox.shapes.issues import association

REACTIONS = {
    "+1": "THUMBS_UP",
    "-1": "THUMBS_DOWN",
    "laugh": "LAUGH",
    "hooray": "HOORAY",
    "confused": "CONFUSED",
    "heart": "HEART",
    "rocket": "ROCKET",
    "eyes": "EYES",
}


def _html(thing: Thing, at: Context, _args: Args) -> str:
    return render(thing.value.body or "", at.links.page(thing.repo))


def _text(thing: Thing, at: Context, args: Args) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", _html(thing, at, args))).strip()


# --- edits


def _edits(thing: Thing) -> list[Any]:
    """Every wording of the body, newest first; nothing when it was never changed."""
    return list(reversed(thing.value.edits))


def _last(thing: Thing) -> Any | None:
    """The newest change, None when there was none."""
    found = _edits(thing)
    return found[0] if found else None


def _edited_at(thing: Thing, _at: Context, _args: Args) -> str | None:
    last = _last(thing)
    return iso(last.at) if last else None


def _editor(thing: Thing, at: Context, _args: Args) -> Thing | None:
    last = _last(thing)
    return at.account(last.editor) if last else None


def _all_edits(thing: Thing, _at: Context, args: Args) -> Connection:
    return Connection([Thing("UserContentEdit", one, thing.repo) for one in _edits(thing)], args)


_EDIT: dict[str, Field] = {
    "id": lambda thing, _at, _: node("UserContentEdit", thing.value.id),
    "createdAt": lambda thing, _at, _: iso(thing.value.at),
    "editedAt": lambda thing, _at, _: iso(thing.value.at),
    "updatedAt": lambda thing, _at, _: iso(thing.value.at),
    "deletedAt": constant(None),
    "deletedBy": constant(None),
    "diff": lambda thing, _at, _: thing.value.text,
    "editor": lambda thing, at, _: at.account(thing.value.editor),
}


# --- reactions


def _reactions(thing: Thing) -> list[Any]:
    return [one for one in thing.repo.reactions if one.comment == thing.value.id]


def _groups(thing: Thing, _at: Context, _args: Args) -> list[Thing]:
    """One for each emoji, also for those that nobody chose."""
    found = _reactions(thing)
    return [
        Thing("ReactionGroup", (thing, word, [one for one in found if one.content == word]), thing.repo)
        for word in REACTIONS
    ]


def _all_reactions(thing: Thing, _at: Context, args: Args) -> Connection:
    wanted = args.get("content")
    found = [one for one in _reactions(thing) if wanted in (None, REACTIONS[one.content])]
    return Connection([Thing("Reaction", one, thing.repo) for one in found], args)


def _reactors(thing: Thing, at: Context, args: Args) -> Connection:
    chosen = thing.value[2]
    edges = [{"reactedAt": iso(one.created_at)} for one in chosen]
    return Connection([at.account(one.author) for one in chosen], args, edges=edges)


_GROUP: dict[str, Field] = {
    "content": lambda thing, _at, _: REACTIONS[thing.value[1]],
    "users": _reactors,
    "reactors": _reactors,
    "subject": lambda thing, _at, _: thing.value[0],
    "createdAt": lambda thing, _at, _: maybe(min((one.created_at for one in thing.value[2]), default=None)),
    "viewerHasReacted": lambda thing, at, _: any(one.author == at.login for one in thing.value[2]),
}

_REACTION: dict[str, Field] = {
    "id": lambda thing, _at, _: node("Reaction", thing.value.id),
    "databaseId": lambda thing, _at, _: thing.value.id,
    "content": lambda thing, _at, _: REACTIONS[thing.value.content],
    "createdAt": lambda thing, _at, _: iso(thing.value.created_at),
    "user": lambda thing, at, _: at.account(thing.value.author),
}


# --- what all of them have


def may_change(thing: Thing, at: Context) -> bool:
    """Whether the caller may edit it: who wrote it, or somebody with write access."""
    return thing.value.author == at.login or at.role(thing.repo) in ("write", "maintain", "admin")


def written(kind: str, created: str, address: Field) -> dict[str, Field]:
    """Fields of everything that somebody wrote. `created` is the attribute that says when, `address` its page."""

    def at_time(thing: Thing) -> datetime | None:
        found: datetime | None = getattr(thing.value, created)
        return found

    def updated(thing: Thing, at: Context, _args: Args) -> str | None:
        last = _last(thing)
        return iso(last.at) if last else maybe(getattr(thing.value, "updated_at", None) or at_time(thing) or at.now)

    def made(thing: Thing, at: Context, _args: Args) -> str | None:
        return maybe(at_time(thing) or at.now)

    return {
        "id": lambda thing, _at, _: node(kind, thing.value.id),
        "databaseId": lambda thing, _at, _: thing.value.id,
        "fullDatabaseId": lambda thing, _at, _: str(thing.value.id),
        "author": lambda thing, at, _: at.account(thing.value.author),
        "authorAssociation": lambda thing, at, _: association(at.links, thing.repo, thing.value.author),
        "body": lambda thing, _at, _: thing.value.body or "",
        "bodyHTML": _html,
        "bodyText": _text,
        "createdAt": made,
        "publishedAt": lambda thing, _at, _: maybe(at_time(thing)),
        "updatedAt": updated,
        "lastEditedAt": _edited_at,
        "includesCreatedEdit": lambda thing, _at, _: bool(_edits(thing)),
        "editor": _editor,
        "userContentEdits": _all_edits,
        "reactionGroups": _groups,
        "reactions": _all_reactions,
        "repository": lambda thing, _at, _: Thing("Repository", thing.repo, thing.repo),
        "url": address,
        "resourcePath": lambda thing, at, args: path_of(address(thing, at, args), at),
        "createdViaEmail": constant(False),
        "isMinimized": constant(False),
        "minimizedReason": constant(None),
        "viewerCanMinimize": constant(False),
        "viewerCanReact": constant(True),
        "viewerCanUpdate": lambda thing, at, _: may_change(thing, at),
        "viewerCanDelete": lambda thing, at, _: may_change(thing, at),
        "viewerCannotUpdateReasons": lambda thing, at, _: [] if may_change(thing, at) else ["INSUFFICIENT_ACCESS"],
        "viewerDidAuthor": lambda thing, at, _: thing.value.author == at.login,
    }


def _comment_page(thing: Thing, at: Context, _args: Args) -> str:
    found = thing.repo.issues[thing.value.number]
    kind = "pull" if found.pull else "issues"
    return f"{at.links.page(thing.repo)}/{kind}/{found.number}#issuecomment-{thing.value.id}"


def _subject(thing: Thing, is_pull: bool) -> Thing | None:
    found = thing.repo.issues[thing.value.number]
    if is_pull and not found.pull:
        return None
    return Thing("PullRequest" if is_pull else "Issue", found, thing.repo)


FIELDS: dict[str, dict[str, Field]] = {
    "IssueComment": written("IssueComment", "created_at", _comment_page)
    | {
        "issue": lambda thing, _at, _: _subject(thing, False),
        "pullRequest": lambda thing, _at, _: _subject(thing, True),
    },
    "UserContentEdit": _EDIT,
    "ReactionGroup": _GROUP,
    "Reaction": _REACTION,
}

NO_THREADS = empty  # comments on lines of a diff are not part of the sandbox
