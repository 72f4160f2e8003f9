"""Merging a pull request as GitHub's button does: the guards, then a merge commit, a squash, or a rebase."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.sandbox import events, rules
from bot.sandbox.bare import Bare
from bot.sandbox.http import ApiError, Call, invalid
from bot.sandbox.hub import Hub
from bot.sandbox.mergeability import allowed_methods
from bot.sandbox.people import WEB_FLOW
from bot.sandbox.rulesets import Actor, actor_of
from bot.sandbox.store import Issue, Pull, Repository
from bot.sandbox.switches import MERGE_METHODS
from bot.sandbox.violations import Change

_NOT_ALLOWED = {
    "merge": "Merge commits are not allowed on this repository.",
    "squash": "Squash merges are not allowed on this repository.",
    "rebase": "Rebase merges are not allowed on this repository.",
}


@dataclass(frozen=True)
class Wish:
    """How somebody wants it merged. `sha` is the head that they saw; empty texts are filled as GitHub fills them."""

    method: str = "merge"
    sha: str | None = None
    title: str = ""
    message: str = ""


def merge_pull(call: Call, found: Issue) -> str:
    """`PUT .../merge`: the commit that the base is at now. Raises 403, 405, 409 or 422 as `merge` does."""
    method = call.get("merge_method") or "merge"
    if method not in MERGE_METHODS:
        raise invalid("PullRequest", "merge_method")
    texts = call.get("commit_title") or "", call.get("commit_message") or ""
    actor = actor_of(call.hub, call.repo, call.token)
    return merge(call.hub, call.repo, found, actor, Wish(method, call.get("sha"), *texts), by_run=call.by_run)


def merge(hub: Hub, repository: Repository, found: Issue, actor: Actor, wish: Wish, *, by_run: bool = False) -> str:
    """The commit that the base is at now.

    Raises 405 when it may not be merged, 409 when the head is not the expected one or lies behind its base, 403 when
    an app would bring workflow files.
    """
    pull = found.pull
    assert pull is not None
    bare = hub.bare(repository)
    _guard(repository, found, pull, wish)
    base = bare.branch(pull.base_ref)
    if base is None:
        raise ApiError(405, "Pull Request is not mergeable")
    if actor.app is not None:
        paths = bare.paths_changed(bare.merge_base(base, pull.head_sha), pull.head_sha)
        if reason := rules.workflow_refusal(paths):
            raise ApiError(403, reason)
    check(hub, repository, found, actor, wish.method)
    made = combine(hub, repository, found, base, wish, actor.login)
    if made is None:
        blocked = "This branch can't be rebased" if wish.method == "rebase" else "Pull Request has merge conflicts"
        raise ApiError(405, blocked)
    before = bare.refs()
    pull.base_sha, pull.merge_commit_sha = base, made
    bare.set_ref(f"refs/heads/{pull.base_ref}", made)
    events.merged(hub, repository, found, actor.login, by_run)
    events.refs_moved(hub, repository, before, actor.login, by_run)
    if repository.switches.delete_branch_on_merge and pull.head_repository == repository.full_name:
        delete_head(hub, repository, pull, actor.login, by_run)
    return made


def _guard(repository: Repository, found: Issue, pull: Pull, wish: Wish) -> None:
    if found.state != "open":
        raise ApiError(405, "Pull Request is not mergeable")
    if wish.sha not in (None, pull.head_sha):
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    if pull.draft:
        raise ApiError(405, "Pull Request is still a draft")
    if any(entry.number == found.number for entry in repository.queue):
        raise ApiError(405, "Pull Request is in the merge queue.")


def check(
    hub: Hub, repository: Repository, found: Issue, actor: Actor, method: str, *, without: tuple[str, ...] = ()
) -> None:
    """Raises 405 naming every rule that the merge would break, 409 for a head that must have its base first."""
    pull = found.pull
    assert pull is not None
    if method not in allowed_methods(hub, repository, pull.base_ref):
        raise ApiError(405, _NOT_ALLOWED[method])
    bare = hub.bare(repository)
    base = bare.branch(pull.base_ref)
    change = Change(hub, repository, f"refs/heads/{pull.base_ref}", base, pull.head_sha, found, method)
    judgement = rules.judge(change, actor, without=without)
    judgement.refuse(405)
    strict = rules.is_strict(hub, repository, pull.base_ref)
    if base and strict and not judgement.bypassed and bare.merge_base(base, pull.head_sha) != base:
        raise ApiError(409, "Head branch is out of date. Review and try the merge again.")


def combine(hub: Hub, repository: Repository, found: Issue, base: str, wish: Wish, merger: str) -> str | None:
    """A commit on top of `base` that brings the pull request, and that no ref points to. None on a conflict."""
    pull, bare, at = found.pull, hub.bare(repository), hub.clock()
    assert pull is not None
    if wish.method == "rebase":
        return _rebased(hub, bare, base, pull.head_sha, merger, at)
    tree = bare.merged_tree(base, pull.head_sha)
    if tree is None:
        return None
    title, message = _texts(found, pull, bare, base, wish)
    parents = [base, pull.head_sha] if wish.method == "merge" else [base]
    author = hub.person(merger if wish.method == "merge" else found.author)
    made = bare.write_commit(tree, parents, f"{title}\n\n{message}\n", author=author, committer=WEB_FLOW, at=at)
    repository.signed.append(made)
    return made


def _texts(found: Issue, pull: Pull, bare: Bare, base: str, wish: Wish) -> tuple[str, str]:
    """Title and message; https://docs.github.com/rest/pulls/pulls#merge-a-pull-request leaves both out."""
    if wish.method == "merge":
        owner = pull.head_repository.split("/")[0]
        title = f"Merge pull request #{found.number} from {owner}/{pull.head_ref}"
        return wish.title or title, wish.message or found.title
    brought = bare.between(base, pull.head_sha)
    one = brought[0].message.strip() if len(brought) == 1 else ""
    title, _, rest = one.partition("\n")
    listed = "\n\n".join(f"* {commit.message.strip()}" for commit in brought)
    return wish.title or f"{title or found.title} (#{found.number})", wish.message or (rest.strip() if one else listed)


def _rebased(hub: Hub, bare: Bare, base: str, head: str, merger: str, at: datetime) -> str | None:
    """Each commit anew on the base: its author stays, the committer is who merges, and nothing is signed."""
    tip = base
    for commit in bare.between(base, head):
        if len(commit.parent_ids) > 1:
            continue  # as `git rebase` leaves merges out
        tree = bare.picked_tree(tip, commit)
        if tree is None:
            return None
        tip = bare.write_copy(commit, tree, tip, committer=hub.person(merger), at=at)
    return tip


def delete_head(hub: Hub, repository: Repository, pull: Pull, sender: str, by_run: bool) -> None:
    """Delete the head branch of a merged pull request, unless it is gone or the default branch."""
    bare = hub.bare(repository)
    if pull.head_ref != repository.default_branch and bare.branch(pull.head_ref) == pull.head_sha:
        before = bare.refs()
        bare.delete_ref(f"refs/heads/{pull.head_ref}")
        events.refs_moved(hub, repository, before, sender, by_run)
