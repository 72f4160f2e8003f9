"""Commits, comparisons, statuses, files: /repos/{owner}/{repo}/commits and its neighbours."""

from __future__ import annotations

import base64
import itertools
from typing import Any

from bot.sandbox import events
from bot.sandbox.http import ApiError, Call, Page, Reply, Route, invalid, not_found
from bot.sandbox.routes import media
from bot.sandbox.routes.issues import R
from bot.sandbox.shapes import commits as shapes
from bot.sandbox.shapes.actions import check_run
from bot.sandbox.shapes.basics import node
from bot.sandbox.shapes.pulls import COMMIT_CAP, simple
from bot.sandbox.shapes.repositories import minimal
from bot.sandbox.store import Status

CONTENTS = ("contents",)
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's own, the same everywhere
_LIST_CAP = 2000  # how far back `GET /commits` walks here


def commit_of(call: Call, name: str = "rev") -> Any:
    """The commit that a SHA, branch or tag in the path means. Raises 422 as GitHub does."""
    found = call.hub.bare(call.repo).commit(call.params[name])
    if found is None:
        raise ApiError(422, f"No commit found for SHA: {call.params[name]}")
    return found


def list_commits(call: Call) -> Page:
    bare = call.hub.bare(call.repo)
    start = bare.commit(call.query.get("sha") or call.repo.default_branch)
    if start is None:
        raise not_found()
    walk = bare.log(str(start.id), call.query.get("path") or None)
    return Page(list(itertools.islice(walk, _LIST_CAP)), lambda one: shapes.commit(call.links, call.repo, one))


def get_commit(call: Call) -> Reply:
    found = commit_of(call)
    parent = str(found.parent_ids[0]) if found.parent_ids else None
    bare, sha = call.hub.bare(call.repo), str(found.id)
    kinds = {"diff": lambda: bare.diff(parent or EMPTY_TREE, sha), "patch": lambda: bare.patch(None, sha)}
    if text := media.instead(call, kinds | {"sha": sha.encode}):
        return text
    files = call.hub.bare(call.repo).files(parent, str(found.id))
    return Reply(shapes.commit(call.links, call.repo, found, files[:300]))


def pulls_of_commit(call: Call) -> Page:
    """The merged pull request that brought the commit to the default branch, else the open ones that hold it."""
    sha, bare = str(commit_of(call).id), call.hub.bare(call.repo)
    pulls = [one for one in call.repo.issues.values() if one.pull is not None]

    def holds(pull: Any) -> bool:
        if sha == pull.head_sha or (pull.merged_at and sha == pull.merge_commit_sha):
            return True
        base = pull.base_sha if pull.merged_at else bare.branch(pull.base_ref) or pull.base_sha
        return bare.merge_base(sha, pull.head_sha) == sha and bare.merge_base(sha, base) != sha

    found = [one for one in pulls if one.pull and holds(one.pull)]
    merged = [one for one in found if one.pull and one.pull.merged_at]
    listed = merged or [one for one in found if one.state == "open"]
    return Page(listed, lambda one: simple(call.links, call.repo, one))


def compare(call: Call) -> Reply:
    base_name, dots, head_name = call.params["basehead"].partition("...")
    if not dots:
        raise not_found()
    bare = call.hub.bare(call.repo)
    base, head = bare.commit(base_name.rpartition(":")[2]), bare.commit(head_name.rpartition(":")[2])
    if base is None or head is None:
        raise not_found()
    middle_sha = bare.merge_base(str(base.id), str(head.id))
    if middle_sha is None:
        raise not_found()
    ends = middle_sha, str(head.id)
    if text := media.instead(call, {"diff": lambda: bare.diff(*ends), "patch": lambda: bare.patch(*ends)}):
        return text
    middle = bare.commit(middle_sha)
    ahead, behind = bare.between(middle_sha, str(head.id)), bare.between(middle_sha, str(base.id))
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind", (True, True): "diverged"}
    url, page = f"{call.links.repo(call.repo)}/compare/{call.params['basehead']}", call.links.page(call.repo)
    address = f"{page}/compare/{call.params['basehead']}"
    files = bare.files(middle_sha, str(head.id))[:300]
    return Reply(
        {
            "url": url,
            "html_url": address,
            "permalink_url": f"{page}/compare/{base.id}...{head.id}",
            "diff_url": f"{address}.diff",
            "patch_url": f"{address}.patch",
            "base_commit": shapes.commit(call.links, call.repo, base),
            "merge_base_commit": shapes.commit(call.links, call.repo, middle),
            "status": status[bool(ahead), bool(behind)],
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": [shapes.commit(call.links, call.repo, one) for one in ahead[:COMMIT_CAP]],
            "files": [shapes.diff_entry(call.links, call.repo, str(head.id), entry) for entry in files],
        }
    )


def create_status(call: Call) -> Reply:
    sha, state = call.params["sha"], call.text("state", resource="Status")
    if state not in ("error", "failure", "pending", "success"):
        raise invalid("Status", "state")
    found = call.hub.bare(call.repo).object(sha) if len(sha) == 40 else None
    if found is None or found.type_str != "commit":
        raise ApiError(422, f"No commit found for SHA: {sha}")
    context = call.text("context", resource="Status", limit=255, default="default")
    description = call.text("description", resource="Status", limit=140, default="")
    url = call.text("target_url", resource="Status", default="")
    now = call.hub.clock()
    status = Status(call.hub.next_id(), sha, context, state, description, url or None, call.login, now, call.app)
    call.repo.statuses.append(status)
    body = shapes.status(call.links, call.repo, status)
    parts = {
        name: body[name] for name in ("id", "state", "description", "target_url", "context", "created_at", "updated_at")
    }
    commit = shapes.commit(call.links, call.repo, found)
    what: dict[str, Any] = {"sha": sha, "name": call.repo.full_name, "commit": commit, "branches": []}
    events.announce(call.hub, call.repo, "status", None, call.login, call.by_run, **parts, **what)
    return Reply(body, 201)


def combined_status(call: Call) -> Reply:
    return Reply(shapes.combined(call.links, call.repo, str(commit_of(call).id)))


def list_statuses(call: Call) -> Page:
    sha = str(commit_of(call).id)
    found = [one for one in reversed(call.repo.statuses) if one.sha == sha]
    return Page(found, lambda one: shapes.status(call.links, call.repo, one))


def check_runs(call: Call) -> Page:
    sha = str(commit_of(call).id)
    found = [(run, job) for run in call.hub.data.runs if run.sha == sha for job in run.jobs]
    return Page(found, lambda pair: check_run(call.links, call.repo, *pair), key="check_runs")


def contents(call: Call) -> Reply:
    bare, path = call.hub.bare(call.repo), call.params.get("path", "").strip("/")
    rev = call.query.get("ref") or call.repo.default_branch
    if bare.commit(rev) is None:
        raise ApiError(404, f"No commit found for the ref {rev}")
    folder = bare.folder(rev, path)
    if folder:
        prefix = f"{path}/" if path else ""
        return Reply([content_entry(call, rev, prefix + name, entry) for name, entry in folder.items()])
    data = bare.read(rev, path)
    if data is None:
        raise not_found()
    name = path.rsplit("/", 1)[-1]
    parent = bare.folder(rev, path.rpartition("/")[0])
    body = {"encoding": "base64", "content": base64.encodebytes(data).decode()}
    return Reply(content_entry(call, rev, path, parent[name]) | body)


def content_entry(call: Call, rev: str, path: str, entry: Any) -> dict[str, Any]:
    kind = {"tree": "dir", "commit": "submodule"}.get(entry.type_str, "file")
    if entry.filemode == 0o120000:
        kind = "symlink"
    api, page = call.links.repo(call.repo), call.links.page(call.repo)
    url, html = f"{api}/contents/{path}?ref={rev}", f"{page}/blob/{rev}/{path}"
    git = f"{api}/git/{'trees' if kind == 'dir' else 'blobs'}/{entry.id}"
    return {
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": str(entry.id),
        "size": entry.size if entry.type_str == "blob" else 0,
        "url": url,
        "html_url": html,
        "git_url": git,
        "download_url": None if kind == "dir" else f"{page}/raw/{rev}/{path}",
        "type": kind,
        "_links": {"self": url, "git": git, "html": html},
    }


def git_commit(call: Call) -> Reply:
    found = call.hub.bare(call.repo).object(call.params["sha"])
    if found is None or found.type_str != "commit":
        raise not_found()
    return Reply(shapes.git_commit(call.links, call.repo, found))


def git_tree(call: Call) -> Reply:
    found = call.hub.bare(call.repo).commit(call.params["sha"])
    tree = found.tree if found is not None else call.hub.bare(call.repo).object(call.params["sha"])
    if tree is None or tree.type_str != "tree":
        raise not_found()
    url = f"{call.links.repo(call.repo)}/git"
    listed = list(_walk(tree, "", "recursive" in call.query))
    body = [entry | {"url": f"{url}/{entry['type']}s/{entry['sha']}"} for entry in listed]
    return Reply({"sha": str(tree.id), "url": f"{url}/trees/{tree.id}", "tree": body, "truncated": False})


def _walk(tree: Any, prefix: str, deep: bool) -> Any:
    for entry in tree:
        body = {"path": prefix + entry.name, "mode": f"{entry.filemode:06o}", "type": entry.type_str}
        yield body | {"sha": str(entry.id)} | ({"size": entry.size} if entry.type_str == "blob" else {})
        if deep and entry.type_str == "tree":
            yield from _walk(entry, f"{prefix}{entry.name}/", deep)


def git_blob(call: Call) -> Reply:
    found = call.hub.bare(call.repo).object(call.params["sha"])
    if found is None or found.type_str != "blob":
        raise not_found()
    return Reply(
        {
            "sha": str(found.id),
            "node_id": node("Blob", str(found.id)),
            "size": found.size,
            "url": f"{call.links.repo(call.repo)}/git/blobs/{found.id}",
            "content": base64.encodebytes(found.data).decode(),
            "encoding": "base64",
        }
    )


def get_repository(call: Call) -> Reply:
    from bot.sandbox.shapes.repositories import full

    return Reply(full(call.links, call.repo, call.role()))


def list_forks(call: Call) -> Page:
    found = [one for one in call.hub.data.repositories.values() if one.parent == call.repo.full_name]
    return Page(found, lambda one: minimal(call.links, one))


def activity(call: Call) -> Reply:
    """https://docs.github.com/rest/repos/repos#list-repository-activities : newest first."""
    name = call.query.get("ref", "").removeprefix("refs/heads/")
    found = [one for one in reversed(call.repo.activities) if name in ("", one.ref.removeprefix("refs/heads/"))]
    return Reply([shapes.activity(call.links, one) for one in found[: int(call.query.get("per_page", 30))]])


ROUTES = [
    Route("GET", R + "/activity", activity, CONTENTS),
    Route("GET", R, get_repository),
    Route("GET", R + "/forks", list_forks),
    Route("GET", R + "/commits", list_commits, CONTENTS),
    Route("GET", R + "/commits/{rev}/pulls", pulls_of_commit, ("pull-requests", "contents")),
    Route("GET", R + "/commits/{rev}/status", combined_status, ("statuses",)),
    Route("GET", R + "/commits/{rev}/statuses", list_statuses, ("statuses",)),
    Route("GET", R + "/commits/{rev}/check-runs", check_runs, ("checks",)),
    Route("GET", R + "/commits/{rev+}", get_commit, CONTENTS),
    Route("GET", R + "/compare/{basehead+}", compare, CONTENTS),
    Route("POST", R + "/statuses/{sha}", create_status, ("statuses",), "write"),
    Route("GET", R + "/contents", contents, CONTENTS),
    Route("GET", R + "/contents/{path+}", contents, CONTENTS),
    Route("GET", R + "/git/commits/{sha}", git_commit, CONTENTS),
    Route("GET", R + "/git/trees/{sha}", git_tree, CONTENTS),
    Route("GET", R + "/git/blobs/{sha}", git_blob, CONTENTS),
]
