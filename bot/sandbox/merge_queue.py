"""The merge queue: a group commit that checks are asked for, then the base moved to it, or the group thrown away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.errors import UserError
from bot.sandbox import events, history
from bot.sandbox.hub import Hub
from bot.sandbox.people import WEB_FLOW
from bot.sandbox.shapes.commits import latest_statuses, payload_commit
from bot.sandbox.store import Repository

QUEUE = "gh-readonly-queue"


@dataclass(frozen=True)
class MergeGroup:
    """Pull requests merged on trial, in order: `sha` is the last merge commit, `ref` where it lies."""

    numbers: tuple[int, ...]
    base: str
    base_sha: str
    sha: str
    ref: str


def form(hub: Hub, repository: Repository, numbers: tuple[int, ...], sender: str) -> MergeGroup:
    """Make the group and ask for its checks. Raises UserError for a conflict or a pull request that is not open."""
    bare, base = hub.bare(repository), repository.default_branch
    base_sha = tip = bare.branch(base) or ""
    for number in numbers:
        issue = repository.issues.get(number)
        if issue is None or issue.pull is None or issue.state != "open":
            raise UserError(f"#{number} is no open pull request", code="not_open")
        tree = bare.merged_tree(tip, issue.pull.head_sha)
        if tree is None:
            raise UserError(f"#{number} conflicts with {base} or with a pull request before it", code="conflict")
        message = f"Merge pull request #{number} from {issue.pull.head_ref}\n\n{issue.title}\n"
        author = hub.person(issue.author)
        parents = [tip, issue.pull.head_sha]
        tip = bare.write_commit(tree, parents, message, author=author, committer=WEB_FLOW, at=hub.clock())
    ref = f"refs/heads/{QUEUE}/{base}/pr-{numbers[-1]}-{base_sha}"
    bare.set_ref(ref, tip)
    group = MergeGroup(numbers, base, base_sha, tip, ref)
    for number in numbers:
        history.record(hub, repository, number, sender, "added_to_merge_queue")
    _announce(hub, repository, group, "checks_requested", sender)
    return group


def finish(hub: Hub, repository: Repository, group: MergeGroup, sender: str, required: tuple[str, ...]) -> bool:
    """Move the base to the group when every required status is green there; whether it was merged."""
    bare = hub.bare(repository)
    states = {one.context: one.state for one in latest_statuses(repository, group.sha)}
    before = bare.refs()
    good = all(states.get(name) == "success" for name in required) and bare.branch(group.base) == group.base_sha
    if good:
        bare.set_ref(f"refs/heads/{group.base}", group.sha)
        for number in group.numbers:
            issue = repository.issues[number]
            assert issue.pull is not None
            issue.pull.base_sha, issue.pull.merge_commit_sha = group.base_sha, group.sha
            events.merged(hub, repository, issue, sender, False)
    bare.delete_ref(group.ref)
    for number in group.numbers:
        why = {"reason": "merge" if good else "failed_checks", "before": group.base_sha}
        history.record(hub, repository, number, sender, "removed_from_merge_queue", why)
    _announce(hub, repository, group, "destroyed", sender, reason="merged" if good else "invalidated")
    kept = {name: sha for name, sha in before.items() if name != group.ref}
    events.refs_moved(hub, repository, kept, sender, False)
    return good


def _announce(hub: Hub, repository: Repository, group: MergeGroup, action: str, sender: str, **parts: Any) -> None:
    head = hub.bare(repository).object(group.sha)
    body = {
        "head_sha": group.sha,
        "head_ref": group.ref,
        "base_sha": group.base_sha,
        "base_ref": f"refs/heads/{group.base}",
        "head_commit": payload_commit(hub.links(), repository, head),
    }
    events.announce(hub, repository, "merge_group", action, sender, False, merge_group=body, **parts)
