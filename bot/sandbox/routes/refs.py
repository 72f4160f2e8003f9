"""Refs and tags: /repos/{owner}/{repo}/git/refs, /git/tags, /tags; forks."""

from __future__ import annotations

from typing import Any

import pygit2

from bot.sandbox import events, rules
from bot.sandbox.http import ApiError, Call, Page, Reply, Route, invalid, not_found
from bot.sandbox.routes.commits import CONTENTS
from bot.sandbox.routes.issues import R
from bot.sandbox.rulesets import actor_of
from bot.sandbox.shapes import repositories as shapes
from bot.sandbox.shapes.basics import node
from bot.sandbox.violations import Change


def get_ref(call: Call) -> Reply:
    name = f"refs/{call.params['ref']}"
    sha = call.hub.bare(call.repo).ref(name)
    if sha is None:
        raise not_found()
    return Reply(shapes.git_ref(call.links, call.repo, name, sha))


def matching_refs(call: Call) -> Page:
    prefix = f"refs/{call.params.get('ref', '')}"
    found = sorted(call.hub.bare(call.repo).refs().items())
    return Page(
        [(name, sha) for name, sha in found if name.startswith(prefix)],
        lambda pair: shapes.git_ref(call.links, call.repo, *pair),
    )


def create_ref(call: Call) -> Reply:
    name, sha = call.text("ref", resource="Reference"), call.text("sha", resource="Reference")
    bare = call.hub.bare(call.repo)
    if not name.startswith("refs/") or name.count("/") < 2 or not pygit2.reference_is_valid_name(name):
        raise ApiError(422, "Reference name is invalid: must start with 'refs/' and have at least two slashes.")
    if bare.ref(name) is not None:
        raise ApiError(422, "Reference already exists")
    if bare.object(sha) is None:
        raise ApiError(422, "Object does not exist")
    guard(call, name, None, sha)
    before = bare.refs()
    bare.set_ref(name, sha)
    events.refs_moved(call.hub, call.repo, before, call.login, call.by_run)
    return Reply(shapes.git_ref(call.links, call.repo, name, sha), 201)


def guard(call: Call, name: str, old: str | None, new: str | None, status: int = 422) -> None:
    """Raises `status` for a change that the rules hold back, 403 for an app's token that brings a workflow file."""
    change = Change(call.hub, call.repo, name, old, new)
    rules.judge(change, actor_of(call.hub, call.repo, call.token)).refuse(status)
    if call.app is not None and (reason := rules.workflow_refusal(change.paths)):
        raise ApiError(403, reason)


def update_ref(call: Call) -> Reply:
    name, sha = f"refs/{call.params['ref']}", call.text("sha", resource="Reference")
    bare = call.hub.bare(call.repo)
    old = bare.ref(name)
    if old is None:
        raise ApiError(422, "Reference does not exist")
    if bare.object(sha) is None:
        raise ApiError(422, "Object does not exist")
    if bare.merge_base(old, sha) != old and not call.get("force", False):
        raise ApiError(422, "Update is not a fast forward")
    guard(call, name, old, sha)
    before = bare.refs()
    bare.set_ref(name, sha)
    events.refs_moved(call.hub, call.repo, before, call.login, call.by_run)
    return Reply(shapes.git_ref(call.links, call.repo, name, sha))


def delete_ref(call: Call) -> Reply:
    name, bare = f"refs/{call.params['ref']}", call.hub.bare(call.repo)
    old = bare.ref(name)
    if old is None:
        raise ApiError(422, "Reference does not exist")
    if name == f"refs/heads/{call.repo.default_branch}":
        raise ApiError(422, "Cannot delete the default branch")
    guard(call, name, old, None)
    before = bare.refs()
    bare.delete_ref(name)
    events.refs_moved(call.hub, call.repo, before, call.login, call.by_run)
    return Reply(None, 204)


def create_tag(call: Call) -> Reply:
    """An annotated tag object; no ref points to it yet."""
    name, message = call.text("tag", resource="Tag"), call.text("message", resource="Tag")
    target, kind = call.text("object", resource="Tag"), call.text("type", resource="Tag")
    bare = call.hub.bare(call.repo)
    found = bare.object(target)
    if found is None or found.type_str != kind:
        raise invalid("Tag", "object")
    given = call.get("tagger") or {}
    person = call.hub.person(call.login)
    who = pygit2.Signature(
        given.get("name") or person.login, given.get("email") or person.email, int(call.hub.clock().timestamp())
    )
    text = f"object {target}\ntype {kind}\ntag {name}\ntagger {who.name} <{who.email}> {who.time} +0000\n\n{message}\n"
    sha = bare.git.write(pygit2.enums.ObjectType.TAG, text.encode())
    return Reply(shapes.git_tag(call.links, call.repo, bare.object(str(sha))), 201)


def get_tag(call: Call) -> Reply:
    found = call.hub.bare(call.repo).object(call.params["sha"])
    if found is None or found.type_str != "tag":
        raise not_found()
    return Reply(shapes.git_tag(call.links, call.repo, found))


def list_tags(call: Call) -> Page:
    bare, page, url = call.hub.bare(call.repo), call.links.page(call.repo), call.links.repo(call.repo)
    names = [name.removeprefix("refs/tags/") for name in bare.refs() if name.startswith("refs/tags/")]

    def shape(name: str) -> dict[str, Any]:
        sha = str(bare.commit(f"refs/tags/{name}").id)  # type: ignore[union-attr]
        return {
            "name": name,
            "zipball_url": f"{url}/zipball/refs/tags/{name}",
            "tarball_url": f"{url}/tarball/refs/tags/{name}",
            "commit": {"sha": sha, "url": f"{url}/commits/{sha}"},
            "node_id": node("Ref", f"{page}{name}"),
        }

    return Page(sorted(names, reverse=True), shape)


def create_fork(call: Call) -> Reply:
    """The caller's copy of the repository, made at once (GitHub makes it a little later)."""
    name = f"{call.login}/{call.repo.name}"
    if name not in call.hub.data.repositories:
        path = f"forks/{call.login}.git"
        fork = call.hub.add_repository(
            name, default_branch=call.repo.default_branch, parent=call.repo.full_name, path=path
        )
        fork.permissions = {}
        call.hub.bare(fork).fetch_all(call.hub.bare(call.repo).path)
    return Reply(shapes.full(call.links, call.hub.repository(name)), 202)


ROUTES = [
    Route("GET", R + "/git/ref/{ref+}", get_ref, CONTENTS),
    Route("GET", R + "/git/refs/{ref+}", get_ref, CONTENTS),
    Route("GET", R + "/git/matching-refs/{ref+}", matching_refs, CONTENTS),
    Route("GET", R + "/git/refs", matching_refs, CONTENTS),
    Route("POST", R + "/git/refs", create_ref, CONTENTS, "write"),
    Route("PATCH", R + "/git/refs/{ref+}", update_ref, CONTENTS, "write"),
    Route("DELETE", R + "/git/refs/{ref+}", delete_ref, CONTENTS, "write"),
    Route("POST", R + "/git/tags", create_tag, CONTENTS, "write"),
    Route("GET", R + "/git/tags/{sha}", get_tag, CONTENTS),
    Route("GET", R + "/tags", list_tags, CONTENTS),
    Route("POST", R + "/forks", create_fork, ("never",)),
]
