"""Webhook payloads, and what a moved ref means: pushes, new heads of pull requests, closed ones."""

from __future__ import annotations

from typing import Any

from bot.sandbox import history
from bot.sandbox.http import ApiError
from bot.sandbox.hub import Hub
from bot.sandbox.shapes import commits, issues, pulls
from bot.sandbox.shapes.repositories import payload
from bot.sandbox.store import Activity, Comment, Issue, Repository, Review

ZERO = "0" * 40
_PUSH_COMMITS = 2048  # https://docs.github.com/webhooks/webhook-events-and-payloads#push


def announce(
    hub: Hub,
    repository: Repository,
    event: str,
    action: str | None,
    sender: str,
    by_run: bool,
    *,
    level: int = 0,
    **parts: Any,
) -> None:
    """An event with the parts that every payload has."""
    links = hub.links()
    head = {"action": action} if action else {}
    tail: dict[str, Any] = {"repository": payload(links, repository), "sender": links.account(sender)}
    if links.owner(repository)["type"] == "Organization":
        tail["organization"] = links.organization(repository.owner)
    hub.announce(repository, event, head | parts | tail, by_run=by_run, level=level)


def pull_event(
    hub: Hub, repository: Repository, found: Issue, action: str, sender: str, by_run: bool, **parts: Any
) -> None:
    body = pulls.pull_request(hub.links(), repository, found)
    announce(hub, repository, "pull_request", action, sender, by_run, number=found.number, pull_request=body, **parts)


def comment_event(
    hub: Hub, repository: Repository, found: Comment, action: str, sender: str, by_run: bool, **parts: Any
) -> None:
    links = hub.links()
    announce(
        hub,
        repository,
        "issue_comment",
        action,
        sender,
        by_run,
        issue=issues.payload(links, repository, repository.issues[found.number]),
        comment=issues.comment(links, repository, found),
        **parts,
    )


def review_event(
    hub: Hub, repository: Repository, found: Review, action: str, sender: str, by_run: bool, **parts: Any
) -> None:
    links = hub.links()
    review = pulls.review(links, repository, found)
    review["state"] = review["state"].lower()
    announce(
        hub,
        repository,
        "pull_request_review",
        action,
        sender,
        by_run,
        review=review,
        pull_request=pulls.simple(links, repository, repository.issues[found.number]),
        **parts,
    )


def push_event(hub: Hub, repository: Repository, ref: str, old: str, new: str, sender: str, by_run: bool) -> None:
    """A branch or tag moved from `old` to `new`; zeros mean that it was not there, or is not any more."""
    bare, links = hub.bare(repository), hub.links()
    head, was = (None if one == ZERO else bare.commit(one) for one in (new, old))  # of annotated tags, their commits
    brought = bare.between(str(was.id), str(head.id)) if head is not None and was is not None else []
    history.refer(hub, repository, sender, brought)
    listed = [commits.payload_commit(links, repository, one) for one in brought[-_PUSH_COMMITS:]]
    base = bare.merge_base(str(was.id), str(head.id)) if head is not None and was is not None else None
    person = hub.person(sender)
    announce(
        hub,
        repository,
        "push",
        None,
        sender,
        by_run,
        ref=ref,
        before=old,
        after=new,
        created=old == ZERO,
        deleted=new == ZERO,
        forced=head is not None and was is not None and base != str(was.id),
        base_ref=None,
        compare=f"{links.page(repository)}/compare/{old[:12]}...{new[:12]}",
        commits=listed,
        head_commit=commits.payload_commit(links, repository, head) if head is not None else None,
        pusher={"name": person.login, "email": person.email},
    )


def refs_moved(hub: Hub, repository: Repository, before: dict[str, str], sender: str, by_run: bool) -> None:
    """Announce every ref that differs from `before`, and bring pull requests up to date."""
    after = hub.bare(repository).refs()
    for ref in sorted(before.keys() | after.keys()):
        old, new = before.get(ref, ZERO), after.get(ref, ZERO)
        if old == new or not ref.startswith(("refs/heads/", "refs/tags/")):
            continue
        if ref.startswith("refs/heads/"):
            _note_activity(hub, repository, ref, old, new, sender)
            _branch_moved(hub, repository, ref.removeprefix("refs/heads/"), old, new, sender, by_run)
        push_event(hub, repository, ref, old, new, sender, by_run)


def _note_activity(hub: Hub, repository: Repository, ref: str, old: str, new: str, sender: str) -> None:
    kind = "branch_creation" if old == ZERO else "branch_deletion" if new == ZERO else "push"
    if kind == "push" and hub.bare(repository).merge_base(old, new) != old:
        kind = "force_push"
    repository.activities.append(Activity(hub.next_id(), ref, old, new, sender, hub.clock(), kind))


def _branch_moved(hub: Hub, repository: Repository, branch: str, old: str, new: str, sender: str, by_run: bool) -> None:
    for home in hub.data.repositories.values():
        for found in list(home.issues.values()):
            pull = found.pull
            if pull is None:
                continue
            if (pull.head_repository, pull.head_ref) == (repository.full_name, branch):
                _head_moved(hub, home, found, old, new, sender, by_run)
            elif home is repository and pull.base_ref == branch and found.state == "open":
                _base_moved(hub, home, found, old, new, sender, by_run)


def _head_moved(hub: Hub, home: Repository, found: Issue, old: str, new: str, sender: str, by_run: bool) -> None:
    pull = found.pull
    assert pull is not None
    if new == ZERO:
        if found.state == "open":
            close(hub, home, found, sender, by_run)
        history.record(hub, home, found.number, sender, "head_ref_deleted", {"ref": pull.head_ref})
    elif found.state == "open":
        _pushed(hub, home, found, old, new, sender, by_run)
    elif old == ZERO and new == pull.head_sha:
        history.record(hub, home, found.number, sender, "head_ref_restored", {"ref": pull.head_ref})


def _pushed(hub: Hub, home: Repository, found: Issue, old: str, new: str, sender: str, by_run: bool) -> None:
    pull = found.pull
    assert pull is not None
    moved: dict[str, str | None] = {"before": old, "after": new}
    if hub.bare(pull.head_repository).merge_base(old, new) != old:
        history.record(hub, home, found.number, sender, "head_ref_force_pushed", {"ref": pull.head_ref, **moved})
    history.record(hub, home, found.number, sender, "pushed", moved)
    pull.head_sha = new
    pull.base_sha = hub.bare(home).branch(pull.base_ref) or pull.base_sha
    found.updated_at = hub.clock()
    refresh(hub, home, found)
    pull_event(hub, home, found, "synchronize", sender, by_run, before=old, after=new)


def _base_moved(hub: Hub, home: Repository, found: Issue, old: str, new: str, sender: str, by_run: bool) -> None:
    pull = found.pull
    assert pull is not None
    bare = hub.bare(home)
    if new == ZERO:
        _base_deleted(hub, home, found, sender, by_run)
        return
    if bare.merge_base(new, pull.head_sha) == pull.head_sha:
        pull.merge_commit_sha = new  # whoever pushes the commits to the base has merged the pull request
        merged(hub, home, found, sender, by_run)
        return
    if old != ZERO and bare.merge_base(old, new) != old:
        moved = {"ref": pull.base_ref, "before": old, "after": new}
        history.record(hub, home, found.number, sender, "base_ref_force_pushed", moved)
    refresh(hub, home, found)


def _base_deleted(hub: Hub, home: Repository, found: Issue, sender: str, by_run: bool) -> None:
    """A pull request on a branch that was merged goes on against that one's base; any other is closed.

    https://docs.github.com/pull-requests/collaborating-with-pull-requests: "Working with branches and merged pull
    requests".
    """
    pull = found.pull
    assert pull is not None
    gone = (home.full_name, pull.base_ref)
    below = [one.pull for one in home.issues.values() if one.pull and one.pull.merged_at]
    bases = [one.base_ref for one in below if (one.head_repository, one.head_ref) == gone]
    sha = hub.bare(home).branch(bases[-1]) if bases else None
    if sha is None:
        close(hub, home, found, sender, by_run)
        history.record(hub, home, found.number, sender, "base_ref_deleted", {"ref": pull.base_ref})
    else:
        retarget(hub, home, found, bases[-1], sha, sender, by_run, kind="automatic_base_change_succeeded")


def retarget(
    hub: Hub,
    home: Repository,
    found: Issue,
    base: str,
    sha: str,
    sender: str,
    by_run: bool,
    *,
    kind: str = "base_ref_changed",
    changes: dict[str, Any] | None = None,
) -> None:
    """Let the pull request aim at another branch, whose tip is `sha`. `changes` is what else is edited with it."""
    pull = found.pull
    assert pull is not None
    history.record(hub, home, found.number, sender, kind, {"from": pull.base_ref, "to": base})
    before = {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}
    pull.base_ref, pull.base_sha = base, sha
    refresh(hub, home, found)
    pull_event(hub, home, found, "edited", sender, by_run, changes={**(changes or {}), "base": before})


def refresh(hub: Hub, home: Repository, found: Issue) -> None:
    """Point refs/pull/N/head and refs/pull/N/merge at what they mean now; note whether it can be merged."""
    pull = found.pull
    assert pull is not None
    bare = hub.bare(home)
    if bare.object(pull.head_sha) is None:
        bare.fetch(hub.bare(pull.head_repository).path, pull.head_sha)
    bare.set_ref(f"refs/pull/{found.number}/head", pull.head_sha)
    base = bare.branch(pull.base_ref)
    tree = base and bare.merged_tree(base, pull.head_sha)
    pull.mergeable = tree is not None
    if base and tree:
        author = hub.person(found.author)
        message = f"Merge {pull.head_sha} into {base}"
        pull.merge_commit_sha = bare.write_commit(
            tree, [base, pull.head_sha], message, author=author, committer=author, at=found.updated_at
        )
        bare.set_ref(f"refs/pull/{found.number}/merge", pull.merge_commit_sha)


def close(hub: Hub, home: Repository, found: Issue, sender: str, by_run: bool, state_reason: str | None = None) -> None:
    """Close without merging. `state_reason` is an issue's, None for a pull request."""
    found.state, found.closed_at, found.closed_by, found.state_reason = "closed", hub.clock(), sender, state_reason
    found.updated_at = hub.clock()
    history.record(hub, home, found.number, sender, "closed", {"state_reason": state_reason})
    _state_event(hub, home, found, "closed", sender, by_run)


def reopen(hub: Hub, home: Repository, found: Issue, sender: str, by_run: bool) -> None:
    """Open again. Raises 422 for a pull request that was merged or whose branch is gone."""
    if found.pull:
        source = hub.data.repositories.get(found.pull.head_repository)
        head = hub.bare(source).branch(found.pull.head_ref) if source else None
        if found.pull.merged_at or head is None or hub.bare(home).branch(found.pull.base_ref) is None:
            refused = {"resource": "PullRequest", "code": "custom", "message": "The pull request cannot be reopened."}
            raise ApiError(422, "Validation Failed", [refused])
        found.pull.head_sha = head
        refresh(hub, home, found)
    found.state, found.closed_at, found.closed_by = "open", None, None
    found.state_reason = None if found.pull else "reopened"
    found.updated_at = hub.clock()
    history.record(hub, home, found.number, sender, "reopened")
    _state_event(hub, home, found, "reopened", sender, by_run)


def _state_event(hub: Hub, home: Repository, found: Issue, action: str, sender: str, by_run: bool) -> None:
    if found.pull:
        pull_event(hub, home, found, action, sender, by_run)
    else:
        announce(hub, home, "issues", action, sender, by_run, issue=issues.payload(hub.links(), home, found))


def merged(hub: Hub, home: Repository, found: Issue, sender: str, by_run: bool) -> None:
    """Note that the pull request was merged by `sender`; `merge_commit_sha` is set already."""
    pull = found.pull
    assert pull is not None
    pull.merged_at, pull.merged_by = hub.clock(), sender
    done = {"commit": pull.merge_commit_sha, "ref": pull.base_ref}
    history.record(hub, home, found.number, sender, "merged", done)
    close(hub, home, found, sender, by_run)
