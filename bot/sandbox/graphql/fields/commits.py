"""Commits, who wrote them, trees and files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.sandbox.bare import moment
from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields import issues
from bot.sandbox.graphql.fields.checks import check_suites, rollup, status
from bot.sandbox.graphql.fields.interface import Args, Field, constant, empty, path_of
from bot.sandbox.graphql.fields.refs import git_object
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.people import WEB_FLOW
from bot.sandbox.shapes.basics import iso, node

_CO_AUTHOR = re.compile(r"^co-authored-by:\s*(.+?)\s*<([^<>]+)>\s*$", re.IGNORECASE | re.MULTILINE)
_HISTORY_CAP = 2000


def _sha(thing: Thing) -> str:
    return str(thing.value.id)


def _url(thing: Thing, at: Context) -> str:
    return f"{at.links.page(thing.repo)}/commit/{_sha(thing)}"


def _headline(thing: Thing, _at: Context, _args: Args) -> str:
    return str(thing.value.message.split("\n")[0])


def _body(thing: Thing, _at: Context, _args: Args) -> str:
    return str(thing.value.message.partition("\n")[2].strip())


# --- people


def _signature(who: str) -> Field:
    def field(thing: Thing, _at: Context, _args: Args) -> Thing:
        found = getattr(thing.value, who)
        return Thing("GitActor", (found.name, found.email, iso(moment(found))), thing.repo)

    return field


def _authors(thing: Thing, _at: Context, args: Args) -> Connection:
    """The author, then everybody whom a Co-authored-by line names, each once."""
    at = iso(moment(thing.value.author))
    named = [(thing.value.author.name, thing.value.author.email), *_CO_AUTHOR.findall(thing.value.message)]
    found = {email.lower(): (name, email, at) for name, email in reversed(named)}
    return Connection([Thing("GitActor", one, thing.repo) for one in reversed(found.values())], args)


def _user(thing: Thing, at: Context, _args: Args) -> Thing | None:
    """The account of the address, None when nobody has it, and for a bot."""
    known = at.hub.by_email(thing.value[1])
    return at.person(known) if known and known.kind == "User" else None


_ACTOR: dict[str, Field] = {
    "name": lambda thing, _at, _: thing.value[0],
    "email": lambda thing, _at, _: thing.value[1],
    "date": lambda thing, _at, _: thing.value[2],
    "user": _user,
    "avatarUrl": lambda _thing, at, _: f"{at.links.web}/avatars/0.svg",
}


# --- what it holds


def _changes(thing: Thing, at: Context) -> list[dict[str, Any]]:
    parent = str(thing.value.parent_ids[0]) if thing.value.parent_ids else None
    found: list[dict[str, Any]] = at.once("changes", thing, lambda: at.hub.bare(thing.repo).files(parent, _sha(thing)))
    return found


def _sum(key: str) -> Field:
    return lambda thing, at, _: sum(one[key] for one in _changes(thing, at))


def _parents(thing: Thing, at: Context, args: Args) -> Connection:
    found = [git_object(thing, at, str(one)) for one in thing.value.parent_ids]
    return Connection([one for one in found if one], args)


def _history(thing: Thing, at: Context, args: Args) -> Connection:
    walk: Iterator[Any] = at.hub.bare(thing.repo).log(_sha(thing), args.get("path") or None)
    found = [Thing("Commit", one, thing.repo) for one, _ in zip(walk, range(_HISTORY_CAP), strict=False)]
    return Connection(found, args)


def _pulls(thing: Thing, at: Context, args: Args) -> Connection:
    """As the REST API lists them."""
    listed = at.rest("GET", f"/repos/{thing.repo.full_name}/commits/{_sha(thing)}/pulls")
    return Connection([issues.thing_of(thing.repo.issues[one["number"]], thing.repo) for one in listed], args)


def _entries(thing: Thing, _at: Context, _args: Args) -> list[Thing]:
    return [Thing("TreeEntry", (thing, one), thing.repo) for one in thing.value]


def _text(thing: Thing, _at: Context, _args: Args) -> str | None:
    try:
        return bytes(thing.value.data).decode()
    except UnicodeDecodeError:
        return None


_OBJECT: dict[str, Field] = {
    "oid": lambda thing, _at, _: _sha(thing),
    "abbreviatedOid": lambda thing, _at, _: _sha(thing)[:7],
    "repository": lambda thing, _at, _: Thing("Repository", thing.repo, thing.repo),
    "commitUrl": lambda thing, at, _: _url(thing, at),
    "commitResourcePath": lambda thing, at, _: path_of(_url(thing, at), at),
}


def _object(kind: str) -> dict[str, Field]:
    return _OBJECT | {"id": lambda thing, _at, _: node(kind, _sha(thing))}


_COMMIT: dict[str, Field] = {
    "url": lambda thing, at, _: _url(thing, at),
    "resourcePath": lambda thing, at, _: path_of(_url(thing, at), at),
    "message": lambda thing, _at, _: thing.value.message.rstrip("\n"),
    "messageHeadline": _headline,
    "messageBody": _body,
    "authoredDate": lambda thing, _at, _: iso(moment(thing.value.author)),
    "committedDate": lambda thing, _at, _: iso(moment(thing.value.committer)),
    "author": _signature("author"),
    "committer": _signature("committer"),
    "authors": _authors,
    "authoredByCommitter": lambda thing, _at, _: thing.value.author.email == thing.value.committer.email,
    "committedViaWeb": lambda thing, _at, _: thing.value.committer.email == WEB_FLOW.email,
    "additions": _sum("additions"),
    "deletions": _sum("deletions"),
    "changedFiles": lambda thing, at, _: len(_changes(thing, at)),
    "changedFilesIfAvailable": lambda thing, at, _: len(_changes(thing, at)),
    "parents": _parents,
    "history": _history,
    "tree": lambda thing, _at, _: Thing("Tree", thing.value.tree, thing.repo),
    "associatedPullRequests": _pulls,
    "status": status,
    "statusCheckRollup": lambda thing, at, _: rollup(thing, at),
    "checkSuites": check_suites,
    "signature": constant(None),
    "comments": empty,
    "zipballUrl": lambda thing, at, _: f"{at.links.page(thing.repo)}/archive/{_sha(thing)}.zip",
    "tarballUrl": lambda thing, at, _: f"{at.links.page(thing.repo)}/archive/{_sha(thing)}.tar.gz",
}

_TAG: dict[str, Field] = {
    "name": lambda thing, _at, _: thing.value.name,
    "message": lambda thing, _at, _: thing.value.message,
    "tagger": _signature("tagger"),
    "target": lambda thing, at, _: git_object(thing, at, str(thing.value.target)),
}

_ENTRY: dict[str, Field] = {
    "name": lambda thing, _at, _: thing.value[1].name,
    "type": lambda thing, _at, _: thing.value[1].type_str,
    "mode": lambda thing, _at, _: thing.value[1].filemode,
    "oid": lambda thing, _at, _: str(thing.value[1].id),
    "object": lambda thing, at, _: git_object(thing, at, str(thing.value[1].id)),
    "repository": lambda thing, _at, _: Thing("Repository", thing.repo, thing.repo),
}

_BLOB: dict[str, Field] = {
    "byteSize": lambda thing, _at, _: thing.value.size,
    "isBinary": lambda thing, _at, _: thing.value.is_binary,
    "isTruncated": constant(False),
    "text": _text,
}

FIELDS: dict[str, dict[str, Field]] = {
    "Commit": _object("Commit") | _COMMIT,
    "Tag": _object("Tag") | _TAG,
    "Tree": _object("Tree") | {"entries": _entries},
    "Blob": _object("Blob") | _BLOB,
    "TreeEntry": _ENTRY,
    "GitActor": _ACTOR,
}
