"""Repositories, refs, tags, branches."""

from __future__ import annotations

from typing import Any

from bot.sandbox.bare import moment
from bot.sandbox.people import RANKS, Permission
from bot.sandbox.shapes.basics import Links, iso, node
from bot.sandbox.store import Repository

# field -> what follows the repository's API address; https://docs.github.com/rest/repos/repos#get-a-repository
_URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def minimal(links: Links, repository: Repository) -> dict[str, Any]:
    """GitHub's `minimal-repository`."""
    url = links.repo(repository)
    return {
        "id": repository.id,
        "node_id": node("Repository", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
        "owner": links.owner(repository),
        "html_url": links.page(repository),
        "description": None,
        "fork": repository.parent is not None,
        "url": url,
    } | {name: url + path for name, path in _URLS.items()}


def full(links: Links, repository: Repository, permission: Permission | None = None) -> dict[str, Any]:
    """GitHub's `full-repository`; `permission` is the caller's, None leaves it out."""
    page, at = links.page(repository), iso(repository.created_at)
    n_open = sum(issue.state == "open" for issue in repository.issues.values())
    switched = {name: value for name, value in vars(repository.switches).items() if isinstance(value, bool)}
    body = minimal(links, repository) | switched | {"allow_forking": True}
    body |= dict.fromkeys(("has_projects", "has_wiki", "has_pages", "has_downloads", "has_discussions"), False)
    body |= dict.fromkeys(("disabled", "is_template", "web_commit_signoff_required"), False)
    body |= dict.fromkeys(("stargazers_count", "watchers_count", "watchers", "subscribers_count"), 0)
    body |= dict.fromkeys(("forks_count", "forks", "network_count", "size"), 0)
    body |= dict.fromkeys(("mirror_url", "homepage", "language", "license"), None)
    body |= {
        "git_url": f"{page}.git".replace("http", "git", 1),
        "ssh_url": f"git@localhost:{repository.full_name}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        "topics": [],
        "visibility": "private" if repository.private else "public",
        "default_branch": repository.default_branch,
        "open_issues_count": n_open,
        "open_issues": n_open,
        "pushed_at": at,
        "created_at": at,
        "updated_at": at,
    }
    if permission is not None:
        body["permissions"] = abilities(permission)
    if repository.parent:
        parent = full(links, links.hub.repository(repository.parent))
        body |= {"parent": parent, "source": parent}
    return body


def payload(links: Links, repository: Repository) -> dict[str, Any]:
    """A repository as webhooks show it."""
    whole = full(links, repository)
    left_out = ("network_count", "subscribers_count", "parent", "source")
    return {name: value for name, value in whole.items() if name not in left_out} | {"custom_properties": {}}


def abilities(permission: Permission) -> dict[str, bool]:
    """The flags that GitHub shows for a role."""
    rank = RANKS.index(permission)
    words = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
    return {word: rank >= RANKS.index(role) for word, role in words.items()}


def git_ref(links: Links, repository: Repository, name: str, sha: str) -> dict[str, Any]:
    """GitHub's `git-ref`; `name` is the full name."""
    found = links.hub.bare(repository).object(sha)
    kind = found.type_str if found is not None else "commit"
    return {
        "ref": name,
        "node_id": node("Ref", name),
        "url": f"{links.repo(repository)}/git/{name}",
        "object": {"sha": sha, "type": kind, "url": f"{links.repo(repository)}/git/{kind}s/{sha}"},
    }


def git_tag(links: Links, repository: Repository, tag: Any) -> dict[str, Any]:
    """GitHub's `git-tag`, of an annotated tag object."""
    target = tag.get_object()
    return {
        "node_id": node("Tag", str(tag.id)),
        "sha": str(tag.id),
        "url": f"{links.repo(repository)}/git/tags/{tag.id}",
        "tagger": person(tag.tagger),
        "object": {
            "sha": str(target.id),
            "type": target.type_str,
            "url": f"{links.repo(repository)}/git/{target.type_str}s/{target.id}",
        },
        "tag": tag.name,
        "message": tag.message,
        "verification": UNSIGNED,
    }


def person(signature: Any) -> dict[str, str]:
    """Name, e-mail and date of a Git signature."""
    return {"name": signature.name, "email": signature.email, "date": iso(moment(signature))}


UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def verification(repository: Repository, commit: Any) -> dict[str, Any]:
    """GitHub's word on a commit's signature: valid on what the server made itself."""
    if str(commit.id) not in repository.signed:
        return UNSIGNED
    at = iso(moment(commit.committer))
    seal = {"signature": "-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n"}
    return {"verified": True, "reason": "valid", **seal, "payload": commit.message, "verified_at": at}


def short_branch(links: Links, repository: Repository, name: str, sha: str, protected: bool) -> dict[str, Any]:
    """GitHub's `short-branch`; `protected` by a ruleset or by branch protection."""
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{links.repo(repository)}/commits/{sha}"},
        "protected": protected,
    }
