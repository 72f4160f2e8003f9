"""Pull requests and reviews."""

from __future__ import annotations

from typing import Any

from bot.sandbox import mergeability
from bot.sandbox.shapes.basics import Links, iso, maybe, node
from bot.sandbox.shapes.issues import association, labels
from bot.sandbox.shapes.repositories import payload
from bot.sandbox.store import Issue, Pull, Repository, Review

COMMIT_CAP = 250  # https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request


def range_of(links: Links, repository: Repository, pull: Pull) -> tuple[str, str]:
    """(merge base, head) between which a pull request's commits and files lie."""
    bare = links.hub.bare(repository)
    base = pull.base_sha if pull.merged_at else bare.branch(pull.base_ref) or pull.base_sha
    return bare.merge_base(base, pull.head_sha) or base, pull.head_sha


def simple(links: Links, repository: Repository, found: Issue) -> dict[str, Any]:
    """GitHub's `pull-request-simple`."""
    pull = found.pull
    assert pull is not None
    url, page = f"{links.repo(repository)}/pulls/{found.number}", f"{links.page(repository)}/pull/{found.number}"
    issue_url = f"{links.repo(repository)}/issues/{found.number}"
    return {
        "url": url,
        "id": found.id,
        "node_id": node("PullRequest", found.id),
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue_url,
        "number": found.number,
        "state": found.state,
        "locked": found.locked,
        "title": found.title,
        "user": links.account(found.author),
        "body": found.body,
        "created_at": iso(found.created_at),
        "updated_at": iso(found.updated_at),
        "closed_at": maybe(found.closed_at),
        "merged_at": maybe(pull.merged_at),
        "merge_commit_sha": pull.merge_commit_sha,
        "assignee": links.account(found.assignees[0]) if found.assignees else None,
        "assignees": [links.account(login) for login in found.assignees],
        "requested_reviewers": [links.account(login) for login in pull.reviewers],
        "requested_teams": [],
        "labels": labels(links, repository, found.labels),
        "milestone": None,
        "draft": pull.draft,
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{links.repo(repository)}/pulls/comments{{/number}}",
        "comments_url": f"{issue_url}/comments",
        "statuses_url": f"{links.repo(repository)}/statuses/{pull.head_sha}",
        "head": _end(links, pull.head_repository, pull.head_ref, pull.head_sha),
        "base": _end(links, repository.full_name, pull.base_ref, pull.base_sha),
        "_links": _links(links, repository, found),
        "author_association": association(links, repository, found.author),
        "auto_merge": None,
        "active_lock_reason": found.lock_reason,
    }


def _end(links: Links, repository: str, ref: str, sha: str) -> dict[str, Any]:
    found = links.hub.data.repositories.get(repository)
    owner = links.owner(found) if found else links.account("ghost")
    return {
        "label": f"{repository.split('/')[0]}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": owner,
        "repo": payload(links, found) if found else None,
    }


def _links(links: Links, repository: Repository, found: Issue) -> dict[str, dict[str, str]]:
    url, page = f"{links.repo(repository)}/pulls/{found.number}", f"{links.page(repository)}/pull/{found.number}"
    issue_url = f"{links.repo(repository)}/issues/{found.number}"
    assert found.pull is not None
    addresses = {
        "self": url,
        "html": page,
        "issue": issue_url,
        "comments": f"{issue_url}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{links.repo(repository)}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{links.repo(repository)}/statuses/{found.pull.head_sha}",
    }
    return {name: {"href": address} for name, address in addresses.items()}


def pull_request(links: Links, repository: Repository, found: Issue) -> dict[str, Any]:
    """GitHub's `pull-request`."""
    pull = found.pull
    assert pull is not None
    bare = links.hub.bare(repository)
    base, head = range_of(links, repository, pull)
    files = bare.files(base, head)
    merged = pull.merged_at is not None
    return simple(links, repository, found) | {
        "merged": merged,
        "mergeable": None if merged else pull.mergeable,
        "rebaseable": None if merged else pull.mergeable,
        "mergeable_state": mergeability.state(links.hub, repository, found),
        "merged_by": links.account_or_none(pull.merged_by),
        "comments": sum(one.number == found.number for one in repository.comments.values()),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(bare.between(base, head)),
        "additions": sum(entry["additions"] for entry in files),
        "deletions": sum(entry["deletions"] for entry in files),
        "changed_files": len(files),
    }


def review(links: Links, repository: Repository, found: Review) -> dict[str, Any]:
    """GitHub's `pull-request-review`."""
    page = f"{links.page(repository)}/pull/{found.number}#pullrequestreview-{found.id}"
    pull = f"{links.repo(repository)}/pulls/{found.number}"
    body = {
        "id": found.id,
        "node_id": node("PullRequestReview", found.id),
        "user": links.account_or_none(found.author),
        "body": found.body,
        "state": found.state,
        "html_url": page,
        "pull_request_url": pull,
        "author_association": association(links, repository, found.author),
        "_links": {"html": {"href": page}, "pull_request": {"href": pull}},
        "commit_id": found.commit_sha,
    }
    return body | ({"submitted_at": iso(found.submitted_at)} if found.submitted_at else {})
