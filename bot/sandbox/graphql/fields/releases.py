"""Releases and their files."""

from __future__ import annotations

from typing import Any

from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields.interface import Args, Field, constant, copied, empty, ordered, path_of
from bot.sandbox.graphql.fields.refs import ref
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.pages.markdown import render
from bot.sandbox.releases import Release
from bot.sandbox.shapes import releases as shapes


def rest(thing: Thing, at: Context) -> dict[str, Any]:
    """The release as the REST API shows it."""
    found: dict[str, Any] = at.once("rest", thing, lambda: shapes.release(at.links, thing.repo, thing.value))
    return found


def _asset(thing: Thing, at: Context) -> dict[str, Any]:
    found: dict[str, Any] = at.once("rest", thing, lambda: shapes.asset(at.links, thing.repo, *thing.value))
    return found


def _seen(thing: Thing, at: Context) -> list[Release]:
    """The newest first; drafts only by those who may write."""
    may_write = at.role(thing.repo) in ("write", "maintain", "admin")
    found = [one for one in thing.repo.releases.values() if may_write or not one.draft]
    return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)


def _all(thing: Thing, at: Context, args: Args) -> Connection:
    at.need("contents")
    found = [Thing("Release", one, thing.repo) for one in _seen(thing, at)]
    keys = {"CREATED_AT": lambda one: (one.value.created_at, one.value.id), "NAME": lambda one: one.value.name or ""}
    return Connection(ordered(found, args, keys), args)


def _by_tag(thing: Thing, at: Context, args: Args) -> Thing | None:
    at.need("contents")
    found = [one for one in _seen(thing, at) if one.tag == args["tagName"]]
    return Thing("Release", found[0], thing.repo) if found else None


def _latest(thing: Thing, at: Context, _args: Args) -> Thing | None:
    found = [one for one in _seen(thing, at) if not one.draft and not one.prerelease]
    return Thing("Release", found[0], thing.repo) if found else None


def _is_latest(thing: Thing, at: Context, args: Args) -> bool:
    newest = _latest(thing, at, args)
    return newest is not None and newest.value is thing.value


def _tag(thing: Thing, at: Context, _args: Args) -> Thing | None:
    name = f"refs/tags/{thing.value.tag}"
    sha = at.hub.bare(thing.repo).ref(name)
    return ref(thing.repo, name, sha) if sha else None


def _commit(thing: Thing, at: Context, _args: Args) -> Thing | None:
    found = at.hub.bare(thing.repo).commit(f"refs/tags/{thing.value.tag}")
    return Thing("Commit", found, thing.repo) if found is not None else None


def _assets(thing: Thing, _at: Context, args: Args) -> Connection:
    named = [one for one in thing.value.assets if args.get("name") in (None, one.name)]
    return Connection([Thing("ReleaseAsset", (thing.value, one), thing.repo) for one in named], args)


_RELEASE: dict[str, Field] = copied(
    rest,
    {
        "id": "node_id",
        "databaseId": "id",
        "name": "name",
        "tagName": "tag_name",
        "isDraft": "draft",
        "isPrerelease": "prerelease",
        "description": "body",
        "url": "html_url",
        "createdAt": "created_at",
        "publishedAt": "published_at",
        "updatedAt": "updated_at",
    },
) | {
    "resourcePath": lambda thing, at, _: path_of(rest(thing, at)["html_url"], at),
    "author": lambda thing, at, _: at.account(thing.value.author),
    "repository": lambda thing, _at, _: Thing("Repository", thing.repo, thing.repo),
    "isLatest": _is_latest,
    "tag": _tag,
    "tagCommit": _commit,
    "releaseAssets": _assets,
    "descriptionHTML": lambda thing, at, _: render(thing.value.body, at.links.page(thing.repo)),
    "shortDescriptionHTML": lambda thing, at, _: render(thing.value.body, at.links.page(thing.repo)),
    "viewerCanReact": constant(False),
    "reactionGroups": constant([]),
    "reactions": empty,
    "mentions": empty,
}

_ASSET: dict[str, Field] = copied(
    _asset,
    {
        "id": "node_id",
        "name": "name",
        "size": "size",
        "contentType": "content_type",
        "downloadCount": "download_count",
        "downloadUrl": "browser_download_url",
        "url": "url",
        "createdAt": "created_at",
        "updatedAt": "updated_at",
    },
) | {
    "release": lambda thing, _at, _: Thing("Release", thing.value[0], thing.repo),
    "uploadedBy": lambda thing, at, _: at.account(thing.value[1].uploader),
}

FIELDS: dict[str, dict[str, Field]] = {
    "Release": _RELEASE,
    "ReleaseAsset": _ASSET,
    "Repository": {"releases": _all, "release": _by_tag, "latestRelease": _latest},
}
