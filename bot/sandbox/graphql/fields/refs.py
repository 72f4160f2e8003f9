"""Branches, tags, and the objects that Git keeps."""

from __future__ import annotations

from typing import Any

from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields.interface import Args, Field, constant
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.shapes.basics import node


def ref(home: Any, name: str, sha: str) -> Thing:
    return Thing("Ref", (sha, name), home)


def git_object(thing: Thing, at: Context, sha: str) -> Thing | None:
    """The commit, tag, tree or blob, None when there is none."""
    found = at.hub.bare(thing.repo).object(sha)
    kinds = {"commit": "Commit", "tag": "Tag", "tree": "Tree", "blob": "Blob"}
    return Thing(kinds[found.type_str], found, thing.repo) if found is not None else None


def by_name(thing: Thing, at: Context, args: Args) -> Thing | None:
    """By full name, or by a branch's or tag's own."""
    at.need("contents")
    bare, wanted = at.hub.bare(thing.repo), args["qualifiedName"]
    for name in (wanted, f"refs/{wanted}", f"refs/heads/{wanted}", f"refs/tags/{wanted}"):
        if name.startswith("refs/") and (sha := bare.ref(name)):
            return ref(thing.repo, name, sha)
    return None


def all_refs(thing: Thing, at: Context, args: Args) -> Connection:
    at.need("contents")
    found = sorted(at.hub.bare(thing.repo).refs().items())
    query, prefix = args.get("query") or "", args["refPrefix"]
    names = [ref(thing.repo, name, sha) for name, sha in found if name.startswith(prefix)]
    kept = [one for one in names if query in one.key.removeprefix(prefix)]
    return Connection(list(reversed(kept)) if args.get("direction") == "DESC" else kept, args)


def default_branch(thing: Thing, at: Context, _args: Args) -> Thing | None:
    name = f"refs/heads/{thing.repo.default_branch}"
    sha = at.hub.bare(thing.repo).ref(name)
    return ref(thing.repo, name, sha) if sha else None


def by_expression(thing: Thing, at: Context, args: Args) -> Thing | None:
    """By id, or by an expression such as `main:README.md`."""
    at.need("contents")
    if args.get("oid"):
        return git_object(thing, at, args["oid"])
    rev, colon, path = str(args.get("expression") or "").partition(":")
    bare = at.hub.bare(thing.repo)
    commit = bare.commit(rev.removeprefix("refs/heads/").removeprefix("refs/tags/"))
    if commit is None or not colon:
        return Thing("Commit", commit, thing.repo) if commit is not None else None
    try:
        return git_object(thing, at, str(commit.tree[path].id if path else commit.tree.id))
    except KeyError:
        return None


def _target(thing: Thing, at: Context, _args: Args) -> Thing | None:
    return git_object(thing, at, thing.value[0])


def _prefix(name: str) -> str:
    return "/".join(name.split("/")[:2]) + "/"


FIELDS: dict[str, dict[str, Field]] = {
    "Ref": {
        "id": lambda thing, _at, _: node("Ref", f"{thing.repo.id}:{thing.key}"),
        "name": lambda thing, _at, _: thing.key.removeprefix(_prefix(thing.key)),
        "prefix": lambda thing, _at, _: _prefix(thing.key),
        "repository": lambda thing, _at, _: Thing("Repository", thing.repo, thing.repo),
        "target": _target,
        "refUpdateRule": constant(None),
    }
}
