"""Merging a pull request as GitHub's button does: the guards, then a merge commit or a squash."""

from __future__ import annotations

from bot.sandbox import events, rules
from bot.sandbox.http import ApiError, Call, invalid
from bot.sandbox.people import WEB_FLOW
from bot.sandbox.store import Issue, Pull


def merge_pull(call: Call, found: Issue) -> str:
    """The merge commit. Raises 405 when it may not be merged, 409 when the head is not the expected one."""
    pull = found.pull
    assert pull is not None
    method = call.get("merge_method", "merge")
    if method not in ("merge", "squash", "rebase"):
        raise invalid("PullRequest", "merge_method")
    _guard(call, found, pull)
    hub, repo = call.hub, call.repo
    bare = hub.bare(repo)
    rules.check_merge(hub, repo, found, pull, call.login)
    base = bare.branch(pull.base_ref)
    if call.app is not None and base is not None:
        paths = bare.paths_changed(bare.merge_base(base, pull.head_sha), pull.head_sha)
        if reason := rules.workflow_refusal(paths):
            raise ApiError(403, reason)
    tree = bare.merged_tree(base, pull.head_sha) if base else None
    if base is None or tree is None:
        raise ApiError(405, "Pull Request is not mergeable")
    before = bare.refs()
    pull.base_sha = base
    pull.merge_commit_sha = _commit(call, found, pull, tree, method)
    bare.set_ref(f"refs/heads/{pull.base_ref}", pull.merge_commit_sha)
    events.merged(hub, repo, found, call.login, call.by_run)
    events.refs_moved(hub, repo, before, call.login, call.by_run)
    return pull.merge_commit_sha


def _guard(call: Call, found: Issue, pull: Pull) -> None:
    if found.state != "open":
        raise ApiError(405, "Pull Request is not mergeable")
    if call.get("sha") not in (None, pull.head_sha):
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    if pull.draft:
        raise ApiError(405, "Pull Request is still a draft")


def _commit(call: Call, found: Issue, pull: Pull, tree: str, method: str) -> str:
    """A squash and a rebase both make one commit on the base here; a rebase keeps the head's message."""
    bare, at = call.hub.bare(call.repo), call.hub.clock()
    owner = pull.head_repository.split("/")[0]
    title = call.get("commit_title") or (
        f"Merge pull request #{found.number} from {owner}/{pull.head_ref}"
        if method == "merge"
        else f"{found.title} (#{found.number})"
    )
    message = f"{title}\n\n{call.get('commit_message') or found.title}\n"
    parents = [pull.base_sha, pull.head_sha] if method == "merge" else [pull.base_sha]
    author = call.hub.person(call.login if method == "merge" else found.author)
    return bare.write_commit(tree, parents, message, author=author, committer=WEB_FLOW, at=at)
