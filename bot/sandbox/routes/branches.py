"""Branches: /repos/{owner}/{repo}/branches, their classic protection, their renaming; /merges."""

from __future__ import annotations

import functools
from typing import Any

from bot.sandbox import branches, environments, events, protections
from bot.sandbox.http import ApiError, Call, Page, Reply, Route
from bot.sandbox.people import WEB_FLOW
from bot.sandbox.routes.commits import CONTENTS
from bot.sandbox.routes.issues import R
from bot.sandbox.routes.refs import guard
from bot.sandbox.shapes import protection as shapes
from bot.sandbox.shapes.commits import commit as commit_shape
from bot.sandbox.shapes.repositories import short_branch

B = R + "/branches/{branch+}"


def is_protected(call: Call, name: str) -> bool:
    return environments.is_protected(call.hub, call.repo, name)


def list_branches(call: Call) -> Page:
    refs = call.hub.bare(call.repo).refs().items()
    found = [(name.removeprefix("refs/heads/"), sha) for name, sha in refs if name.startswith("refs/heads/")]
    wanted = {"true": True, "false": False}.get(call.query.get("protected", ""))
    listed = [pair for pair in sorted(found) if wanted in (None, is_protected(call, pair[0]))]
    links, repo = call.links, call.repo
    return Page(listed, lambda pair: short_branch(links, repo, pair[0], pair[1], is_protected(call, pair[0])))


def get_branch(call: Call) -> Reply:
    """301 to the new name of a renamed branch."""
    name = call.params["branch"]
    sha = call.hub.bare(call.repo).branch(name)
    if sha is None and name in call.repo.old_branches:
        where = f"{call.links.repo(call.repo)}/branches/{call.repo.old_branches[name]}"
        body = {"message": "Moved Permanently", "url": where, "documentation_url": "https://docs.github.com/rest"}
        return Reply(body, 301, {"Location": where})
    if sha is None:
        raise ApiError(404, "Branch not found")
    return Reply(_branch(call, name, sha))


def _branch(call: Call, name: str, sha: str) -> dict[str, Any]:
    """GitHub's `branch-with-protection`."""
    url = f"{call.links.repo(call.repo)}/branches/{name}"
    found = commit_shape(call.links, call.repo, call.hub.bare(call.repo).object(sha))
    links = {"self": url, "html": f"{call.links.page(call.repo)}/tree/{name}"}
    body = protections.protection_of(call.repo, name)
    short = short_branch(call.links, call.repo, name, sha, is_protected(call, name))
    extra = {"commit": found, "_links": links, "protection_url": f"{url}/protection"}
    return short | extra | {"protection": shapes.summary(body)}


def rename_branch(call: Call) -> Reply:
    """The default branch takes an administrator."""
    old, new = call.params["branch"], call.text("new_name", resource="Branch")
    if old == call.repo.default_branch and not call.at_least("admin"):
        raise ApiError(403, "Must have admin rights to Repository.")
    branches.rename(call.hub, call.repo, old, new, call.login, call.by_run)
    return Reply(_branch(call, new, call.hub.bare(call.repo).branch(new) or ""), 201)


def get_protection(call: Call) -> Reply:
    name = call.params["branch"]
    if call.hub.bare(call.repo).branch(name) is None:
        raise ApiError(404, "Branch not found")
    body = protections.protection_of(call.repo, name)
    if body is None:
        raise ApiError(404, "Branch not protected")
    return Reply(shapes.whole(call.links, call.repo, name, body))


def put_protection(call: Call) -> Reply:
    """All four must be there, null for what is not asked for."""
    name = call.params["branch"]
    if call.hub.bare(call.repo).branch(name) is None:
        raise ApiError(404, "Branch not found")
    wanted = ("required_status_checks", "enforce_admins", "required_pull_request_reviews", "restrictions")
    for field in wanted:
        if not isinstance(call.body, dict) or field not in call.body:
            raise ApiError(422, f'Invalid request.\n\n"{field}" wasn\'t supplied.')
    call.repo.protections[name] = dict(call.body)
    return Reply(shapes.whole(call.links, call.repo, name, call.body, put=True))


def delete_protection(call: Call) -> Reply:
    if call.repo.protections.pop(call.params["branch"], None) is None:
        raise ApiError(404, "Branch not protected")
    return Reply(None, 204)


def merge_branch(call: Call) -> Reply:
    """Merge one branch into another: 201 with the commit, 204 when there is nothing to do, 409 on a conflict."""
    bare, base = call.hub.bare(call.repo), call.text("base", resource="Merge")
    old, head = bare.branch(base), bare.commit(call.text("head", resource="Merge"))
    if old is None or head is None:
        raise ApiError(404, "Base does not exist" if old is None else "Head does not exist")
    if bare.merge_base(old, str(head.id)) == str(head.id):
        return Reply(None, 204)
    tree = bare.merged_tree(old, str(head.id))
    if tree is None:
        raise ApiError(409, "Merge conflict")
    message = call.get("commit_message") or f"Merge {call.get('head')} into {base}"
    author, at = call.hub.person(call.login), call.hub.clock()
    made = bare.write_commit(tree, [old, str(head.id)], message, author=author, committer=WEB_FLOW, at=at)
    guard(call, f"refs/heads/{base}", old, made, 409)
    call.repo.signed.append(made)
    before = bare.refs()
    bare.set_ref(f"refs/heads/{base}", made)
    events.refs_moved(call.hub, call.repo, before, call.login, call.by_run)
    return Reply(commit_shape(call.links, call.repo, bare.object(made), []), 201)


_admin = functools.partial(Route, needs=("never",), role="admin")

ROUTES = [
    Route("GET", R + "/branches", list_branches, CONTENTS),
    _admin("GET", B + "/protection", get_protection),
    _admin("PUT", B + "/protection", put_protection),
    _admin("DELETE", B + "/protection", delete_protection),
    Route("POST", B + "/rename", rename_branch, CONTENTS, "write"),
    Route("GET", B, get_branch, CONTENTS),
    Route("POST", R + "/merges", merge_branch, CONTENTS, "write"),
]
