"""The merge queue: group commits that checks are asked for, then the base moved to them, or the group thrown away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.errors import UserError
from bot.sandbox import events, history, merging, rules
from bot.sandbox.http import ApiError
from bot.sandbox.hub import Happening, Hub
from bot.sandbox.merging import Wish
from bot.sandbox.rulesets import Actor
from bot.sandbox.shapes.commits import payload_commit
from bot.sandbox.store import Issue, Repository
from bot.sandbox.switches import QueueEntry
from bot.sandbox.violations import Change, missing

QUEUE = "gh-readonly-queue"
BUILDS = 5  # how many groups are built at a time when the rule does not say


@dataclass(frozen=True)
class MergeGroup:
    """Pull requests merged on trial, in order: `sha` is the last commit, `ref` where it lies."""

    numbers: tuple[int, ...]
    base: str
    base_sha: str
    sha: str
    ref: str


# --- a group made by hand, whatever the rules say


def form(hub: Hub, repository: Repository, numbers: tuple[int, ...], sender: str) -> MergeGroup:
    """Make the group and ask for its checks. Raises UserError for a conflict or a pull request that is not open."""
    base = repository.default_branch
    base_sha = tip = hub.bare(repository).branch(base) or ""
    entries = []
    for number in numbers:
        issue = repository.issues.get(number)
        if issue is None or issue.pull is None or issue.state != "open":
            raise UserError(f"#{number} is no open pull request", code="not_open")
        made = merging.combine(hub, repository, issue, tip, Wish(_method(hub, repository, base)), issue.author)
        if made is None:
            raise UserError(f"#{number} conflicts with {base} or with a pull request before it", code="conflict")
        entries.append(QueueEntry(hub.next_id(), number, sender, hub.clock(), base, tip, made))
        tip = made
    repository.queued_by_hand = entries
    group = MergeGroup(numbers, base, base_sha, tip, _ref(base, numbers[-1], base_sha))
    for number in numbers:
        history.record(hub, repository, number, sender, "added_to_merge_queue")
    _ask(hub, repository, group, sender)
    return group


def finish(hub: Hub, repository: Repository, group: MergeGroup, sender: str, required: tuple[str, ...]) -> bool:
    """Move the base to the group when every required status is green there; whether it was merged."""
    change = Change(hub, repository, group.ref, group.base_sha, group.sha)
    red = missing(change, [{"context": name} for name in required])
    good = not red and hub.bare(repository).branch(group.base) == group.base_sha
    if good:
        _land(hub, repository, group, sender)
    repository.queued_by_hand = []
    for number in group.numbers:
        why = {"reason": "merge" if good else "failed_checks", "before": group.base_sha}
        history.record(hub, repository, number, sender, "removed_from_merge_queue", why)
    if not good:
        _throw_away(hub, repository, group, sender, "invalidated")
    return good


def _ref(base: str, number: int, base_sha: str) -> str:
    return f"refs/heads/{QUEUE}/{base}/pr-{number}-{base_sha}"


def _method(hub: Hub, repository: Repository, base: str) -> str:
    """How the queue of a branch merges; merge when no rule says."""
    rule = rules.rule_of(hub, repository, base, "merge_queue") or {}
    return str(rule.get("merge_method", "MERGE")).lower()


def _ask(hub: Hub, repository: Repository, group: MergeGroup, sender: str) -> None:
    hub.bare(repository).set_ref(group.ref, group.sha)
    _announce(hub, repository, group, "checks_requested", sender)


def _land(hub: Hub, repository: Repository, group: MergeGroup, sender: str) -> None:
    """The base moves to the group's commit, and its pull requests are merged."""
    bare = hub.bare(repository)
    before = {name: sha for name, sha in bare.refs().items() if name != group.ref}
    bare.set_ref(f"refs/heads/{group.base}", group.sha)
    for number in group.numbers:
        issue = repository.issues[number]
        assert issue.pull is not None
        issue.pull.base_sha, issue.pull.merge_commit_sha = group.base_sha, group.sha
        events.merged(hub, repository, issue, sender, False)
    _throw_away(hub, repository, group, sender, "merged")
    events.refs_moved(hub, repository, before, sender, False)


def _throw_away(hub: Hub, repository: Repository, group: MergeGroup, sender: str, reason: str) -> None:
    hub.bare(repository).delete_ref(group.ref)
    _announce(hub, repository, group, "destroyed", sender, reason=reason)


def _announce(hub: Hub, repository: Repository, group: MergeGroup, action: str, sender: str, **parts: Any) -> None:
    head = hub.bare(repository).object(group.sha)
    body = {
        "head_sha": group.sha,
        "head_ref": group.ref,
        "base_sha": group.base_sha,
        "base_ref": f"refs/heads/{group.base}",
        "head_commit": _shown(payload_commit(hub.links(), repository, head)),
    }
    events.announce(hub, repository, "merge_group", action, sender, False, merge_group=body, **parts)


def _shown(commit: dict[str, Any]) -> dict[str, Any]:
    """GitHub's `simple-commit`, which says less than a push does."""
    kept = {name: commit[name] for name in ("id", "tree_id", "message", "timestamp")}
    people = {role: {name: commit[role][name] for name in ("name", "email")} for role in ("author", "committer")}
    return kept | people


# --- the queue that a ruleset asks for


def entry_of(repository: Repository, number: int) -> QueueEntry | None:
    """The pull request's place in the queue, None when it does not wait there."""
    return next((one for one in repository.queue if one.number == number), None)


def entries_of(repository: Repository, base: str) -> list[QueueEntry]:
    """Who waits for a branch, from the front."""
    return [one for one in (*repository.queued_by_hand, *repository.queue) if one.base == base]


def enqueue(
    hub: Hub, repository: Repository, found: Issue, actor: Actor, *, head: str | None = None, jump: bool = False
) -> QueueEntry:
    """Put a pull request into its base's queue and build what can be built; `jump` puts it in front.

    Raises 422, in the words of GraphQL's `enqueuePullRequest`, for one that may not enter.
    """
    pull = found.pull
    if pull is None or found.state != "open":
        raise ApiError(422, "Pull request is closed" if pull is not None else "Could not resolve to a PullRequest")
    if rules.rule_of(hub, repository, pull.base_ref, "merge_queue") is None:
        raise ApiError(422, "Pull request The merge queue is not enabled for this branch")
    if entry_of(repository, found.number):
        raise ApiError(422, "Pull request is already in the queue")
    if head not in (None, pull.head_sha):
        said = "expected head oid does not match the current head oid"
        raise ApiError(422, f"Failed to add PR #{found.number}: {said}")
    if pull.draft:
        raise ApiError(422, "Pull request is in draft state")
    if not pull.mergeable:
        raise ApiError(422, "Pull request has merge conflicts")
    change = Change(hub, repository, f"refs/heads/{pull.base_ref}", pull.base_sha, pull.head_sha, found, "squash")
    judgement = rules.judge(change, actor, without=("merge_queue", "update"))
    if judgement.broken:
        raise ApiError(422, f"Pull request {' '.join(one.sentence for one in judgement.broken)}")
    entry = QueueEntry(hub.next_id(), found.number, actor.login, hub.clock(), pull.base_ref)
    repository.queue.insert(0 if jump else len(repository.queue), entry)
    history.record(hub, repository, found.number, actor.login, "added_to_merge_queue")
    events.pull_event(hub, repository, found, "enqueued", actor.login, False)
    advance(hub, repository)
    return entry


def dequeue(hub: Hub, repository: Repository, number: int, sender: str, reason: str = "manual") -> None:
    """Take a pull request out; `reason` is the webhook's word. Raises 422 when it does not wait there."""
    entry = entry_of(repository, number)
    if entry is None:
        raise ApiError(422, f"Failed to remove PR #{number} from the merge queue")
    _leave(hub, repository, entry, sender, reason)
    advance(hub, repository)


def _leave(hub: Hub, repository: Repository, entry: QueueEntry, sender: str, reason: str) -> None:
    """Out of the queue; groups that were built on this one are thrown away and built anew later."""
    place = repository.queue.index(entry)
    for one in repository.queue[place:]:
        if one.ref and one.base == entry.base:
            _throw_away(hub, repository, _group(one), sender, "dequeued" if one is entry else "invalidated")
            one.sha = one.ref = one.base_sha = ""
    repository.queue.remove(entry)
    why = {"reason": reason, "before": hub.bare(repository).branch(entry.base) or ""}
    history.record(hub, repository, entry.number, sender, "removed_from_merge_queue", why)
    events.pull_event(
        hub, repository, repository.issues[entry.number], "dequeued", sender, False, reason=reason.upper()
    )


def _group(entry: QueueEntry) -> MergeGroup:
    return MergeGroup((entry.number,), entry.base, entry.base_sha, entry.sha, entry.ref)


def advance(hub: Hub, repository: Repository) -> None:
    """Build groups that can be built, merge from the front what is green, take out what is red."""
    while any(_step(hub, repository, base) for base in dict.fromkeys(one.base for one in repository.queue)):
        pass


def _step(hub: Hub, repository: Repository, base: str) -> bool:
    """One thing that can be done for the queue of a branch; whether there was one."""
    waiting = [one for one in repository.queue if one.base == base]
    if not waiting:
        return False
    first, tip = waiting[0], hub.bare(repository).branch(base) or ""
    if first.ref and first.base_sha != tip:  # the base was moved by somebody who passes by the queue
        for one in waiting:
            if one.ref:
                _throw_away(hub, repository, _group(one), one.enqueuer, "invalidated")
                one.sha = one.ref = one.base_sha = ""
    if _built(hub, repository, waiting, tip):
        return True
    change = Change(hub, repository, f"refs/heads/{base}", first.base_sha, first.sha)
    red = missing(change, rules.required_checks(hub, repository, base))
    if not red:
        repository.queue.remove(first)
        why = {"reason": "merge", "before": first.base_sha}
        history.record(hub, repository, first.number, first.enqueuer, "removed_from_merge_queue", why)
        issue = repository.issues[first.number]
        events.pull_event(hub, repository, issue, "dequeued", first.enqueuer, False, reason="MERGE")
        _land(hub, repository, _group(first), first.enqueuer)
        return True
    if set(red.values()) & {"failing", "errored", "cancelled"}:
        _leave(hub, repository, first, first.enqueuer, "ci_failure")
        return True
    return False


def _built(hub: Hub, repository: Repository, waiting: list[QueueEntry], tip: str) -> bool:
    """Build the first group that is not built yet, on top of the one before it; whether there was one."""
    rule = rules.rule_of(hub, repository, waiting[0].base, "merge_queue") or {}
    for entry in waiting[: rule.get("max_entries_to_build", BUILDS)]:
        if not entry.ref:
            issue = repository.issues[entry.number]
            wish = Wish(_method(hub, repository, entry.base))
            made = merging.combine(hub, repository, issue, tip, wish, entry.enqueuer)
            if made is None:
                _leave(hub, repository, entry, entry.enqueuer, "merge_conflict")
                return True
            entry.base_sha, entry.sha, entry.ref = tip, made, _ref(entry.base, entry.number, tip)
            _ask(hub, repository, _group(entry), entry.enqueuer)
            return True
        tip = entry.sha
    return False


def happened(hub: Hub, happening: Happening) -> None:
    """A status, a finished run, a push or a closed pull request may move the queue; anything else does not."""
    repository = hub.data.repositories.get(happening.repository)
    if repository is None or not repository.queue:
        return
    if happening.event == "pull_request" and happening.action in ("synchronize", "closed"):
        entry = entry_of(repository, happening.payload["number"])
        if entry is not None:
            dequeue(hub, repository, entry.number, happening.payload["sender"]["login"])
    elif happening.event in ("status", "push") or (happening.event, happening.action) == ("workflow_run", "completed"):
        advance(hub, repository)
