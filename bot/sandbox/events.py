"""Webhook payloads, and what a moved ref means: pushes, new heads of pull requests, closed ones."""

from __future__ import annotations

from typing import Any

from bot.sandbox.hub import Hub
from bot.sandbox.shapes import commits, issues, pulls
from bot.sandbox.shapes.repositories import full
from bot.sandbox.store import Activity, Comment, Event, Issue, Repository, Review

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
    tail = {"repository": full(links, repository), "sender": links.account(sender)}
    hub.announce(repository, event, head | parts | tail, by_run=by_run, level=level)


def pull_event(
    hub: Hub, repository: Repository, found: Issue, action: str, sender: str, by_run: bool, **parts: Any
) -> None:
    body = pulls.pull_request(hub.links(), repository, found)
    _remember(hub, repository, found, action, sender, parts)
    announce(hub, repository, "pull_request", action, sender, by_run, number=found.number, pull_request=body, **parts)


def _remember(hub: Hub, repository: Repository, found: Issue, action: str, sender: str, parts: dict[str, Any]) -> None:
    """Keep what happened for the page of the pull request."""
    pull = found.pull
    assert pull is not None
    detail = {
        "opened": {"base": pull.base_sha, "after": pull.head_sha},
        "synchronize": {name: str(parts.get(name, "")) for name in ("before", "after")},
        "closed": {"merge": pull.merge_commit_sha or ""} if pull.merged_at else {},
        "labeled": {"label": str((parts.get("label") or {}).get("name"))},
        "unlabeled": {"label": str((parts.get("label") or {}).get("name"))},
        "review_requested": {"reviewer": str((parts.get("requested_reviewer") or {}).get("login"))},
        "edited": {"fields": ", ".join(parts.get("changes") or {})},
    }.get(action, {})
    repository.events.append(Event(hub.next_id(), found.number, hub.clock(), sender, action, detail))


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
        issue=issues.issue(links, repository, repository.issues[found.number]),
        comment=issues.comment(links, repository, found),
        **parts,
    )


def review_event(
    hub: Hub, repository: Repository, found: Review, action: str, sender: str, by_run: bool, **parts: Any
) -> None:
    """`number` at the top is not in GitHub's payload; `act` derives github.ref from it."""
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
        number=found.number,
        review=review,
        pull_request=pulls.simple(links, repository, repository.issues[found.number]),
        **parts,
    )


def push_event(hub: Hub, repository: Repository, ref: str, old: str, new: str, sender: str, by_run: bool) -> None:
    """A branch or tag moved from `old` to `new`; zeros mean that it was not there, or is not any more."""
    bare, links = hub.bare(repository), hub.links()
    head, was = (None if one == ZERO else bare.commit(one) for one in (new, old))  # of annotated tags, their commits
    brought = bare.between(str(was.id), str(head.id)) if head is not None and was is not None else []
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
            if pull is None or found.state != "open":
                continue
            if (pull.head_repository, pull.head_ref) == (repository.full_name, branch):
                _head_moved(hub, home, found, old, new, sender, by_run)
            elif home is repository and pull.base_ref == branch:
                _base_moved(hub, home, found, new, sender, by_run)


def _head_moved(hub: Hub, home: Repository, found: Issue, old: str, new: str, sender: str, by_run: bool) -> None:
    assert found.pull is not None
    if new == ZERO:
        close(hub, home, found, sender, by_run)
        return
    found.pull.head_sha = new
    found.pull.base_sha = hub.bare(home).branch(found.pull.base_ref) or found.pull.base_sha
    found.updated_at = hub.clock()
    refresh(hub, home, found)
    pull_event(hub, home, found, "synchronize", sender, by_run, before=old, after=new)


def _base_moved(hub: Hub, home: Repository, found: Issue, new: str, sender: str, by_run: bool) -> None:
    assert found.pull is not None
    bare = hub.bare(home)
    if new != ZERO and bare.merge_base(new, found.pull.head_sha) == found.pull.head_sha:
        found.pull.merge_commit_sha = new  # whoever pushes the commits to the base has merged the pull request
        merged(hub, home, found, sender, by_run)
        return
    refresh(hub, home, found)


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


def close(hub: Hub, home: Repository, found: Issue, sender: str, by_run: bool) -> None:
    """Close without merging."""
    found.state, found.closed_at, found.closed_by = "closed", hub.clock(), sender
    found.updated_at = hub.clock()
    if found.pull:
        pull_event(hub, home, found, "closed", sender, by_run)


def merged(hub: Hub, home: Repository, found: Issue, sender: str, by_run: bool) -> None:
    """Note that the pull request was merged by `sender`; `merge_commit_sha` is set already."""
    assert found.pull is not None
    found.pull.merged_at, found.pull.merged_by = hub.clock(), sender
    close(hub, home, found, sender, by_run)
