"""Pull requests, their reviews, who is asked for one, files, and the merge queue."""

from __future__ import annotations

import re
from typing import Any

from bot.sandbox import opinions, rules
from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields import issues
from bot.sandbox.graphql.fields.checks import rollup
from bot.sandbox.graphql.fields.interface import Args, Field, constant, copied, empty, path_of
from bot.sandbox.graphql.fields.refs import git_object, ref
from bot.sandbox.graphql.fields.timeline import timeline
from bot.sandbox.graphql.fields.written import NO_THREADS, written
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.shapes import pulls as shapes
from bot.sandbox.shapes.basics import maybe, node
from bot.sandbox.store import Pull, Review

_CLOSES = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\s*:?\s+#(\d+)\b", re.IGNORECASE)


def rest(thing: Thing, at: Context) -> dict[str, Any]:
    """The pull request as the REST API shows it, with its differences counted."""
    make = lambda: shapes.pull_request(at.links, thing.repo, thing.value)  # noqa: E731
    found: dict[str, Any] = at.once("pull", thing, make)
    return found


def _pull(thing: Thing) -> Pull:
    found: Pull = thing.value.pull
    return found


def _range(thing: Thing, at: Context) -> tuple[str, str]:
    found: tuple[str, str] = at.once("range", thing, lambda: shapes.range_of(at.links, thing.repo, _pull(thing)))
    return found


def commits_of(thing: Thing, at: Context) -> list[Any]:
    """Oldest first, at most as many as GitHub lists."""
    make = lambda: at.hub.bare(thing.repo).between(*_range(thing, at))[: shapes.COMMIT_CAP]  # noqa: E731
    found: list[Any] = at.once("commits", thing, make)
    return found


# --- ends


def _base_ref(thing: Thing, at: Context, _args: Args) -> Thing | None:
    name = f"refs/heads/{_pull(thing).base_ref}"
    sha = at.hub.bare(thing.repo).ref(name)
    return ref(thing.repo, name, sha) if sha else None


def _head_ref(thing: Thing, at: Context, _args: Args) -> Thing | None:
    home = at.hub.data.repositories.get(_pull(thing).head_repository)
    name = f"refs/heads/{_pull(thing).head_ref}"
    sha = at.hub.bare(home).ref(name) if home else None
    return ref(home, name, sha) if sha else None


def _head_repository(thing: Thing, at: Context, _args: Args) -> Thing | None:
    home = at.hub.data.repositories.get(_pull(thing).head_repository)
    return Thing("Repository", home, home) if home else None


def _head_owner(thing: Thing, at: Context, _args: Args) -> Thing | None:
    home = _head_repository(thing, at, {})
    return at.owner(home.repo.owner) if home else None


# --- whether it can be merged


def _mergeable(thing: Thing, _at: Context, _args: Args) -> str:
    if thing.value.state != "open":
        return "UNKNOWN"
    return "MERGEABLE" if _pull(thing).mergeable else "CONFLICTING"


def _merge_state(thing: Thing, at: Context, _args: Args) -> str:
    return str(rest(thing, at)["mergeable_state"]).upper()


def _review_rule(thing: Thing, at: Context) -> dict[str, Any] | None:
    """What the rules of its base ask of reviews, None when they ask for nothing."""
    found = rules.rules_of(at.hub, thing.repo, f"refs/heads/{_pull(thing).base_ref}")
    wanted: list[dict[str, Any]] = [one["parameters"] for one in found if one["type"] == "pull_request"]
    return max(wanted, key=lambda one: one["required_approving_review_count"], default=None)


def _decision(thing: Thing, at: Context, _args: Args) -> str | None:
    """None where no review is required, as GitHub has it."""
    rule = _review_rule(thing, at)
    if rule is None or not rule["required_approving_review_count"]:
        return None
    standing = opinions.standing(at.hub, thing.repo, thing.value.number).values()
    if any(one.state == "CHANGES_REQUESTED" for one in standing):
        return "CHANGES_REQUESTED"
    return "REVIEW_REQUIRED" if opinions.missing(at.hub, thing.repo, thing.value, rule) else "APPROVED"


def _merge_commit(thing: Thing, at: Context, _args: Args) -> Thing | None:
    pull = _pull(thing)
    return git_object(thing, at, pull.merge_commit_sha) if pull.merged_at and pull.merge_commit_sha else None


def _trial(thing: Thing, at: Context, _args: Args) -> Thing | None:
    """The merge that GitHub makes to see whether one is possible."""
    pull = _pull(thing)
    possible = thing.value.state == "open" and pull.mergeable and pull.merge_commit_sha
    return git_object(thing, at, str(pull.merge_commit_sha)) if possible else None


def _headline(thing: Thing, _at: Context, args: Args) -> str:
    pull, found = _pull(thing), thing.value
    if args.get("mergeType") == "SQUASH":
        return f"{found.title} (#{found.number})"
    return f"Merge pull request #{found.number} from {pull.head_repository.split('/')[0]}/{pull.head_ref}"


# --- reviews


def _seen(thing: Thing, at: Context) -> list[Review]:
    """Reviews that the caller may see: a pending one only its author."""
    return [
        one
        for one in thing.repo.reviews.values()
        if one.number == thing.value.number and (one.state != "PENDING" or one.author == at.login)
    ]


def latest(thing: Thing, states: tuple[str, ...]) -> list[Review]:
    """The last review of each person among those in one of the states."""
    found: dict[str, Review] = {}
    for one in thing.repo.reviews.values():
        if one.number == thing.value.number and one.state in states:
            found.pop(one.author, None)
            found[one.author] = one
    return list(found.values())


def _reviews(thing: Thing, at: Context, args: Args) -> Connection:
    found = [
        one
        for one in _seen(thing, at)
        if (not args.get("states") or one.state in args["states"]) and args.get("author") in (None, one.author)
    ]
    return Connection([review(one, thing) for one in found], args)


def _latest(*states: str) -> Field:
    """The last of each person; those who are asked again do not count, as on GitHub's page."""

    def field(thing: Thing, at: Context, args: Args) -> Connection:
        found = [one for one in latest(thing, states) if one.author not in _pull(thing).reviewers]
        if args.get("writersOnly"):
            found = [
                one for one in found if at.hub.permission(thing.repo, one.author) in ("write", "maintain", "admin")
            ]
        return Connection([review(one, thing) for one in found], args)

    return field


def review(found: Review, thing: Thing) -> Thing:
    return Thing("PullRequestReview", found, thing.repo)


def _requests(thing: Thing, at: Context, args: Args) -> Connection:
    asked = [at.account(login) for login in _pull(thing).reviewers]
    return Connection([Thing("ReviewRequest", (thing, one), thing.repo) for one in asked if one], args)


def _review_page(thing: Thing, at: Context, _args: Args) -> str:
    return f"{at.links.page(thing.repo)}/pull/{thing.value.number}#pullrequestreview-{thing.value.id}"


def _of_number(thing: Thing, _at: Context, _args: Args) -> Thing:
    return Thing("PullRequest", thing.repo.issues[thing.value.number], thing.repo)


_REVIEW: dict[str, Field] = {
    "state": lambda thing, _at, _: thing.value.state,
    "submittedAt": lambda thing, _at, _: maybe(thing.value.submitted_at),
    "commit": lambda thing, at, _: git_object(thing, at, thing.value.commit_sha),
    "pullRequest": _of_number,
    "comments": NO_THREADS,
    "onBehalfOf": empty,
    "authorCanPushToRepository": lambda thing, at, _: (
        at.hub.permission(thing.repo, thing.value.author) in ("write", "maintain", "admin")
    ),
}

_REQUEST: dict[str, Field] = {
    "id": lambda thing, _at, _: node("ReviewRequest", f"{thing.value[0].key}:{thing.value[1].key}"),
    "asCodeOwner": constant(False),
    "pullRequest": lambda thing, _at, _: thing.value[0],
    "requestedReviewer": lambda thing, _at, _: thing.value[1],
}


# --- commits and files


def _commits(thing: Thing, at: Context, args: Args) -> Connection:
    at.need("pull-requests", "contents")
    found = [Thing("PullRequestCommit", (thing, one), thing.repo) for one in commits_of(thing, at)]
    return Connection(found, args)


def _files(thing: Thing, at: Context, args: Args) -> Connection:
    make = lambda: at.hub.bare(thing.repo).files(*_range(thing, at))[:3000]  # noqa: E731
    found = at.once("files", thing, make)
    return Connection([Thing("PullRequestChangedFile", one, thing.repo) for one in found], args)


def _last_rollup(thing: Thing, at: Context, _args: Args) -> Thing | None:
    head = git_object(thing, at, _pull(thing).head_sha)
    return rollup(head, at) if head else None


_COMMIT: dict[str, Field] = {
    "id": lambda thing, _at, _: node("PullRequestCommit", f"{thing.value[0].value.id}:{thing.value[1].id}"),
    "commit": lambda thing, _at, _: Thing("Commit", thing.value[1], thing.repo),
    "pullRequest": lambda thing, _at, _: thing.value[0],
    "url": lambda thing, at, _: f"{rest(thing.value[0], at)['html_url']}/commits/{thing.value[1].id}",
}

_FILE: dict[str, Field] = {
    "path": lambda thing, _at, _: thing.value["filename"],
    "additions": lambda thing, _at, _: thing.value["additions"],
    "deletions": lambda thing, _at, _: thing.value["deletions"],
    "changeType": lambda thing, _at, _: {"removed": "DELETED"}.get(
        thing.value["status"], thing.value["status"].upper()
    ),
    "viewerViewedState": constant("UNVIEWED"),
}


# --- the pull request itself


def _closes(thing: Thing, _at: Context, args: Args) -> Connection:
    """Issues that its text says it closes, when it goes into the default branch."""
    numbers = [int(one) for one in _CLOSES.findall(thing.value.body or "")]
    if _pull(thing).base_ref != thing.repo.default_branch:
        numbers = []
    found = [thing.repo.issues[one] for one in dict.fromkeys(numbers) if one in thing.repo.issues]
    return Connection([issues.thing_of(one, thing.repo) for one in found if not one.pull], args)


def _url(thing: Thing, at: Context, _args: Args) -> str:
    return f"{at.links.page(thing.repo)}/pull/{thing.value.number}"


_FALSE = dict.fromkeys(
    (
        "viewerCanApplySuggestion",
        "viewerCanDeleteHeadRef",
        "viewerCanDisableAutoMerge",
        "viewerCanEnableAutoMerge",
        "viewerCanMergeAsAdmin",
        "viewerCanUpdateBranch",
    ),
    constant(False),
)

_PULL: dict[str, Field] = (
    written("PullRequest", "created_at", _url)
    | issues.BOTH
    | copied(
        rest,
        {
            "additions": "additions",
            "deletions": "deletions",
            "changedFiles": "changed_files",
            "maintainerCanModify": "maintainer_can_modify",
            "autoMergeRequest": "auto_merge",
            "canBeRebased": "rebaseable",
        },
    )
    | _FALSE
    | {
        "permalink": _url,
        "checksUrl": lambda thing, at, _: f"{_url(thing, at, {})}/checks",
        "checksResourcePath": lambda thing, at, _: path_of(f"{_url(thing, at, {})}/checks", at),
        "baseRef": _base_ref,
        "baseRefName": lambda thing, _at, _: _pull(thing).base_ref,
        "baseRefOid": lambda thing, _at, _: _pull(thing).base_sha,
        "baseRepository": lambda thing, _at, _: Thing("Repository", thing.repo, thing.repo),
        "headRef": _head_ref,
        "headRefName": lambda thing, _at, _: _pull(thing).head_ref,
        "headRefOid": lambda thing, _at, _: _pull(thing).head_sha,
        "headRepository": _head_repository,
        "headRepositoryOwner": _head_owner,
        "isCrossRepository": lambda thing, _at, _: _pull(thing).head_repository != thing.repo.full_name,
        "isDraft": lambda thing, _at, _: _pull(thing).draft,
        "merged": lambda thing, _at, _: _pull(thing).merged_at is not None,
        "mergedAt": lambda thing, _at, _: maybe(_pull(thing).merged_at),
        "mergedBy": lambda thing, at, _: at.account(_pull(thing).merged_by),
        "mergeable": _mergeable,
        "mergeStateStatus": _merge_state,
        "mergeCommit": _merge_commit,
        "potentialMergeCommit": _trial,
        "reviewDecision": _decision,
        "reviews": _reviews,
        "latestReviews": _latest("APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED"),
        "latestOpinionatedReviews": _latest(*opinions.OPINIONS),
        "viewerLatestReview": lambda thing, at, _: next(
            (review(one, thing) for one in reversed(_seen(thing, at)) if one.author == at.login), None
        ),
        "reviewRequests": _requests,
        "suggestedReviewers": constant([]),
        "commits": _commits,
        "files": _files,
        "reviewThreads": NO_THREADS,
        "statusCheckRollup": _last_rollup,
        "closingIssuesReferences": _closes,
        "timelineItems": timeline,
        "totalCommentsCount": lambda thing, _at, _: sum(
            one.number == thing.value.number for one in thing.repo.comments.values()
        ),
        "viewerMergeHeadlineText": _headline,
        "viewerMergeBodyText": lambda thing, _at, _: thing.value.title,
        "viewerCanClose": lambda thing, at, _: at.role(thing.repo) in ("write", "maintain", "admin"),
        "viewerCanReopen": lambda thing, at, _: at.role(thing.repo) in ("write", "maintain", "admin"),
        "viewerCanLabel": lambda thing, at, _: at.role(thing.repo) in ("triage", "write", "maintain", "admin"),
        "viewerCanEditFiles": lambda thing, at, _: at.role(thing.repo) in ("write", "maintain", "admin"),
    }
)

FIELDS: dict[str, dict[str, Field]] = {
    "PullRequest": _PULL,
    "PullRequestReview": written("PullRequestReview", "submitted_at", _review_page) | _REVIEW,
    "ReviewRequest": _REQUEST,
    "PullRequestCommit": _COMMIT,
    "PullRequestChangedFile": _FILE,
}
