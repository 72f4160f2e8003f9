"""Writing files without git: /contents, /git/blobs, /git/trees, /git/commits."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import pygit2

from bot.sandbox import events
from bot.sandbox.http import ApiError, Call, Reply, Route, not_found
from bot.sandbox.people import WEB_FLOW
from bot.sandbox.routes.commits import CONTENTS, content_entry
from bot.sandbox.routes.issues import R
from bot.sandbox.routes.refs import guard
from bot.sandbox.shapes import commits as shapes
from bot.sandbox.shapes.basics import node

_MODES = {"100644": "blob", "100755": "blob", "120000": "blob", "040000": "tree", "160000": "commit"}


def put_contents(call: Call) -> Reply:
    """Create a file, or update the version that `sha` names. 409 for another version, and for what rules hold back."""
    path, message = call.params["path"], call.text("message", resource="File")
    data = _decoded(call.text("content", resource="File", limit=100_000_000))
    branch, old = _branch(call)
    bare = call.hub.bare(call.repo)
    before = _blob_at(call, branch, path)
    if before is not None and call.get("sha") is None:
        raise ApiError(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if call.get("sha") not in (None, before):
        raise ApiError(409, f"{path} does not match {call.get('sha')}")
    made = _commit(call, branch, old, {path: bare.git.create_blob(data)}, message)
    shown = bare.folder(made, path.rpartition("/")[0])[path.rsplit("/", 1)[-1]]
    body = {"content": content_entry(call, branch, path, shown), "commit": _shape(call, made)}
    return Reply(body, 201 if before is None else 200)


def delete_contents(call: Call) -> Reply:
    path, message = call.params["path"], call.text("message", resource="File")
    branch, old = _branch(call)
    before = _blob_at(call, branch, path)
    if before is None:
        raise not_found()
    if call.text("sha", resource="File") != before:
        raise ApiError(409, f"{path} does not match {call.get('sha')}")
    made = _commit(call, branch, old, {path: None}, message)
    return Reply({"content": None, "commit": _shape(call, made)})


def _shape(call: Call, sha: str) -> dict[str, Any]:
    return shapes.git_commit(call.links, call.repo, call.hub.bare(call.repo).object(sha))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ApiError(422, "content is not valid Base64") from None


def _branch(call: Call) -> tuple[str, str]:
    """(name, tip) of the branch to write to, the default one when none is named."""
    name = call.get("branch") or call.repo.default_branch
    tip = call.hub.bare(call.repo).branch(name)
    if tip is None:
        raise ApiError(404, f"Branch {name} not found")
    return name, tip


def _blob_at(call: Call, branch: str, path: str) -> str | None:
    folder, name = call.hub.bare(call.repo).folder(branch, path.rpartition("/")[0]), path.rsplit("/", 1)[-1]
    found = folder.get(name)
    return str(found.id) if found is not None and found.type_str == "blob" else None


def _commit(call: Call, branch: str, old: str, files: dict[str, Any], message: str) -> str:
    """A commit on the branch that the server makes and signs; 409 when a rule holds it back."""
    bare = call.hub.bare(call.repo)
    tree = bare.tree_with(old, files)
    author = call.hub.person(call.login)
    made = bare.write_commit(tree, [old], message, author=author, committer=WEB_FLOW, at=call.hub.clock())
    call.repo.signed.append(made)
    guard(call, f"refs/heads/{branch}", old, made, 409)
    before = bare.refs()
    bare.set_ref(f"refs/heads/{branch}", made)
    events.refs_moved(call.hub, call.repo, before, call.login, call.by_run)
    return made


def create_blob(call: Call) -> Reply:
    text = call.text("content", resource="Blob", limit=100_000_000)
    data = _decoded(text) if call.get("encoding") == "base64" else text.encode()
    sha = str(call.hub.bare(call.repo).git.create_blob(data))
    return Reply({"sha": sha, "url": f"{call.links.repo(call.repo)}/git/blobs/{sha}"}, 201)


def create_tree(call: Call) -> Reply:
    """On top of `base_tree` when there is one; an entry whose `sha` is null goes."""
    bare = call.hub.bare(call.repo)
    listed = call.get("tree")
    if not isinstance(listed, list) or not listed:
        raise ApiError(422, "Invalid tree info")
    files: dict[str, Any] = {}
    for one in listed:
        sha = one.get("sha")
        if one.get("content") is not None:
            sha = str(bare.git.create_blob(one["content"].encode()))
        if one.get("mode") not in _MODES or (sha is not None and one["mode"] != "160000" and bare.object(sha) is None):
            raise ApiError(422, f"tree.sha {sha} is not a valid {_MODES.get(one.get('mode'), 'blob')}")
        files[one["path"]] = None if sha is None else (pygit2.Oid(hex=sha), int(one["mode"], 8))
    made = bare.tree_with(call.get("base_tree"), files)
    url = f"{call.links.repo(call.repo)}/git"
    children: list[Any] = list(bare.object(made) or ())
    body = [
        {"path": child.name, "mode": f"{child.filemode:06o}", "type": child.type_str, "sha": str(child.id)}
        | {"url": f"{url}/{child.type_str}s/{child.id}"}
        | ({"size": child.size} if child.type_str == "blob" else {})
        for child in children
    ]
    return Reply({"sha": made, "url": f"{url}/trees/{made}", "tree": body, "truncated": False}, 201)


def create_commit(call: Call) -> Reply:
    """A commit that no ref points to. Without an author it is the server's own, and signed, for an app's token."""
    bare, message = call.hub.bare(call.repo), call.text("message", resource="Commit")
    tree, parents = bare.object(call.text("tree", resource="Commit")), list(call.get("parents") or [])
    if tree is None or tree.type_str != "tree":
        raise ApiError(422, "Tree SHA does not exist")
    if any(bare.object(sha) is None for sha in parents):
        raise ApiError(422, "Parent SHA does not exist or is not a commit object")
    person, given = call.hub.person(call.login), call.get("author")
    own = given is None and call.get("committer") is None and call.app is not None
    who = bare.signature(given, person, call.hub.clock())
    by = who if call.get("committer") is None else bare.signature(call.get("committer"), person, call.hub.clock())
    by = bare.signature(None, WEB_FLOW, call.hub.clock()) if own else by
    made = str(bare.git.create_commit(None, who, by, message, str(tree.id), parents))
    if own:
        call.repo.signed.append(made)
    return Reply(_shape(call, made) | {"node_id": node("Commit", made)}, 201)


ROUTES = [
    Route("PUT", R + "/contents/{path+}", put_contents, CONTENTS, "write"),
    Route("DELETE", R + "/contents/{path+}", delete_contents, CONTENTS, "write"),
    Route("POST", R + "/git/blobs", create_blob, CONTENTS, "write"),
    Route("POST", R + "/git/trees", create_tree, CONTENTS, "write"),
    Route("POST", R + "/git/commits", create_commit, CONTENTS, "write"),
]
