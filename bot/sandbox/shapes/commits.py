"""Commits, comparisons, statuses, deployments."""

from __future__ import annotations

from typing import Any

from bot.sandbox.shapes.basics import Links, iso, node
from bot.sandbox.shapes.repositories import minimal, person, verification
from bot.sandbox.store import Activity, Deployment, DeploymentStatus, Repository, Status


def commit(
    links: Links, repository: Repository, found: Any, files: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """GitHub's `commit`. Author and committer are accounts by e-mail address, None when nobody has it."""
    sha, url = str(found.id), links.repo(repository)
    body: dict[str, Any] = {
        "sha": sha,
        "node_id": node("Commit", sha),
        "commit": {
            "author": person(found.author),
            "committer": person(found.committer),
            "message": found.message.rstrip("\n"),
            "tree": {"sha": str(found.tree_id), "url": f"{url}/git/trees/{found.tree_id}"},
            "url": f"{url}/git/commits/{sha}",
            "comment_count": 0,
            "verification": verification(repository, found),
        },
        "url": f"{url}/commits/{sha}",
        "html_url": f"{links.page(repository)}/commit/{sha}",
        "comments_url": f"{url}/commits/{sha}/comments",
        "author": _account(links, found.author),
        "committer": _account(links, found.committer),
        "parents": [_parent(links, repository, str(parent)) for parent in found.parent_ids],
    }
    if files is not None:
        added, removed = sum(f["additions"] for f in files), sum(f["deletions"] for f in files)
        body["stats"] = {"additions": added, "deletions": removed, "total": added + removed}
        body["files"] = [diff_entry(links, repository, sha, entry) for entry in files]
    return body


def activity(links: Links, one: Activity) -> dict[str, Any]:
    """GitHub's `activity`."""
    return {
        "id": one.id,
        "node_id": node("PSH", str(one.id)),
        "before": one.before,
        "after": one.after,
        "ref": one.ref,
        "timestamp": iso(one.at),
        "activity_type": one.kind,
        "actor": links.account_or_none(one.actor),
    }


def _account(links: Links, signature: Any) -> dict[str, Any] | None:
    known = links.hub.by_email(signature.email)
    return links.user(known) if known else None


def _parent(links: Links, repository: Repository, sha: str) -> dict[str, str]:
    return {
        "sha": sha,
        "url": f"{links.repo(repository)}/commits/{sha}",
        "html_url": f"{links.page(repository)}/commit/{sha}",
    }


def git_commit(links: Links, repository: Repository, found: Any) -> dict[str, Any]:
    """GitHub's `git-commit`, of the Git database API."""
    whole = commit(links, repository, found)
    inner = whole["commit"]
    return {
        "sha": whole["sha"],
        "node_id": whole["node_id"],
        "url": inner["url"],
        "html_url": whole["html_url"],
        "parents": whole["parents"],
    } | {name: inner[name] for name in ("author", "committer", "message", "tree", "verification")}


def payload_commit(links: Links, repository: Repository, found: Any) -> dict[str, Any]:
    """A commit as webhooks show it."""
    who = {"author": found.author, "committer": found.committer}
    accounts = {role: links.hub.by_email(signature.email) for role, signature in who.items()}
    people = {
        role: {"name": signature.name, "email": signature.email, "date": iso_of(signature)}
        | ({"username": account.login} if (account := accounts[role]) else {})
        for role, signature in who.items()
    }
    return {
        "id": str(found.id),
        "tree_id": str(found.tree_id),
        "distinct": True,
        "message": found.message.rstrip("\n"),
        "timestamp": iso_of(found.committer),
        "url": f"{links.page(repository)}/commit/{found.id}",
    } | people


def iso_of(signature: Any) -> str:
    return person(signature)["date"]


def diff_entry(links: Links, repository: Repository, sha: str, entry: dict[str, Any]) -> dict[str, Any]:
    """GitHub's `diff-entry`."""
    page, path = links.page(repository), entry["filename"]
    return entry | {
        "blob_url": f"{page}/blob/{sha}/{path}",
        "raw_url": f"{page}/raw/{sha}/{path}",
        "contents_url": f"{links.repo(repository)}/contents/{path}?ref={sha}",
    }


def status(links: Links, repository: Repository, found: Status) -> dict[str, Any]:
    """GitHub's `status`."""
    at = iso(found.created_at)
    creator = links.account_or_none(found.creator)
    return {
        "url": f"{links.repo(repository)}/statuses/{found.sha}",
        "avatar_url": creator["avatar_url"] if creator else None,
        "id": found.id,
        "node_id": node("StatusContext", found.id),
        "state": found.state,
        "description": found.description,
        "target_url": found.target_url,
        "context": found.context,
        "created_at": at,
        "updated_at": at,
        "creator": creator,
    }


def combined(links: Links, repository: Repository, sha: str) -> dict[str, Any]:
    """GitHub's `combined-commit-status`: the newest status of each context, and the worst of them."""
    newest = latest_statuses(repository, sha)
    states = {found.state for found in newest}
    state = (
        "failure" if states & {"failure", "error"} else "pending" if "pending" in states or not states else "success"
    )
    return {
        "state": state,
        "statuses": [_without_creator(status(links, repository, found)) for found in newest],
        "sha": sha,
        "total_count": len(newest),
        "repository": minimal(links, repository),
        "commit_url": f"{links.repo(repository)}/commits/{sha}",
        "url": f"{links.repo(repository)}/commits/{sha}/status",
    }


def _without_creator(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "creator"}


def latest_statuses(repository: Repository, sha: str) -> list[Status]:
    """The newest status of each context at a commit."""
    return list({found.context: found for found in repository.statuses if found.sha == sha}.values())


def deployment(links: Links, repository: Repository, found: Deployment) -> dict[str, Any]:
    """GitHub's `deployment`."""
    url = f"{links.repo(repository)}/deployments/{found.id}"
    last = found.statuses[-1].created_at if found.statuses else found.created_at
    return {
        "url": url,
        "id": found.id,
        "node_id": node("Deployment", found.id),
        "sha": found.sha,
        "ref": found.ref,
        "task": found.task,
        "payload": found.payload,
        "original_environment": found.environment,
        "environment": found.environment,
        "description": found.description,
        "creator": links.account_or_none(found.creator),
        "created_at": iso(found.created_at),
        "updated_at": iso(last),
        "statuses_url": f"{url}/statuses",
        "repository_url": links.repo(repository),
        "transient_environment": found.transient,
        "production_environment": found.production,
    }


def deployment_status(
    links: Links, repository: Repository, parent: Deployment, found: DeploymentStatus
) -> dict[str, Any]:
    """GitHub's `deployment-status`."""
    url, at = f"{links.repo(repository)}/deployments/{parent.id}", iso(found.created_at)
    addresses = {"log_url": found.log_url, "environment_url": found.environment_url}
    return {
        "url": f"{url}/statuses/{found.id}",
        "id": found.id,
        "node_id": node("DeploymentStatus", found.id),
        "state": found.state,
        "creator": links.account_or_none(found.creator),
        "description": found.description,
        "environment": parent.environment,
        "target_url": found.log_url,
        "created_at": at,
        "updated_at": at,
        "deployment_url": url,
        "repository_url": links.repo(repository),
    } | {name: address for name, address in addresses.items() if address}
