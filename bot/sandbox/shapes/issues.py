"""Issues, comments, labels, reactions."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import quote

from bot.sandbox.people import BOT
from bot.sandbox.shapes.basics import Links, iso, maybe, node
from bot.sandbox.store import Comment, Issue, Label, Reaction, Repository

REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")


def association(links: Links, repository: Repository, login: str) -> str:
    """GitHub's word for what somebody is to a repository."""
    if login == repository.owner:
        return "OWNER"
    known = links.hub.permission(repository, login)
    if known in ("write", "maintain", "admin", "triage"):
        return "COLLABORATOR" if login in links.hub.data.people else "NONE"
    merged = (i.author == login and i.pull and i.pull.merged_at for i in repository.issues.values())
    return "CONTRIBUTOR" if login != BOT.login and any(merged) else "NONE"


def label(links: Links, repository: Repository, found: Label) -> dict[str, Any]:
    """GitHub's `label`."""
    return {
        "id": found.id,
        "node_id": node("Label", found.id),
        "url": f"{links.repo(repository)}/labels/{quote(found.name)}",
        "name": found.name,
        "color": found.color,
        "default": False,
        "description": found.description,
    }


def labels(links: Links, repository: Repository, names: list[str]) -> list[dict[str, Any]]:
    return [label(links, repository, repository.labels[name]) for name in names if name in repository.labels]


def rollup(url: str, reactions: list[Reaction]) -> dict[str, Any]:
    """GitHub's `reaction-rollup`."""
    counted = Counter(reaction.content for reaction in reactions)
    return {"url": f"{url}/reactions", "total_count": len(reactions)} | {name: counted[name] for name in REACTIONS}


def reaction(links: Links, found: Reaction) -> dict[str, Any]:
    """GitHub's `reaction`."""
    return {
        "id": found.id,
        "node_id": node("Reaction", found.id),
        "user": links.account_or_none(found.author),
        "content": found.content,
        "created_at": iso(found.created_at),
    }


def comment(links: Links, repository: Repository, found: Comment) -> dict[str, Any]:
    """GitHub's `issue-comment`."""
    url = f"{links.repo(repository)}/issues/comments/{found.id}"
    kind = "pull" if repository.issues[found.number].pull else "issues"
    return {
        "url": url,
        "html_url": f"{links.page(repository)}/{kind}/{found.number}#issuecomment-{found.id}",
        "issue_url": f"{links.repo(repository)}/issues/{found.number}",
        "id": found.id,
        "node_id": node("IssueComment", found.id),
        "user": links.account(found.author),
        "created_at": iso(found.created_at),
        "updated_at": iso(found.updated_at),
        "body": found.body,
        "author_association": association(links, repository, found.author),
        "reactions": rollup(url, [one for one in repository.reactions if one.comment == found.id]),
        "performed_via_github_app": links.app(found.app),
    }


def issue(links: Links, repository: Repository, found: Issue) -> dict[str, Any]:
    """GitHub's `issue`, which a pull request is too."""
    url, page = f"{links.repo(repository)}/issues/{found.number}", links.page(repository)
    body: dict[str, Any] = {
        "url": url,
        "repository_url": links.repo(repository),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": f"{page}/{'pull' if found.pull else 'issues'}/{found.number}",
        "id": found.id,
        "node_id": node("Issue", found.id),
        "number": found.number,
        "title": found.title,
        "user": links.account(found.author),
        "labels": labels(links, repository, found.labels),
        "state": found.state,
        "state_reason": found.state_reason,
        "locked": found.locked,
        "active_lock_reason": found.lock_reason,
        "assignee": links.account(found.assignees[0]) if found.assignees else None,
        "assignees": [links.account(login) for login in found.assignees],
        "milestone": None,
        "comments": sum(one.number == found.number for one in repository.comments.values()),
        "created_at": iso(found.created_at),
        "updated_at": iso(found.updated_at),
        "closed_at": maybe(found.closed_at),
        "closed_by": links.account_or_none(found.closed_by),
        "author_association": association(links, repository, found.author),
        "body": found.body,
        "reactions": rollup(url, [one for one in repository.reactions if one.comment == found.id]),
        "performed_via_github_app": None,
    }
    if found.pull:
        address = f"{page}/pull/{found.number}"
        body["draft"] = found.pull.draft
        body["pull_request"] = {
            "url": f"{links.repo(repository)}/pulls/{found.number}",
            "html_url": address,
            "diff_url": f"{address}.diff",
            "patch_url": f"{address}.patch",
            "merged_at": maybe(found.pull.merged_at),
        }
    return body


def payload(links: Links, repository: Repository, found: Issue) -> dict[str, Any]:
    """An issue as webhooks show it."""
    return {name: value for name, value in issue(links, repository, found).items() if name != "closed_by"}
