"""Repositories: their settings, refs, objects, labels, rulesets, and the doors to issues and pull requests."""

from __future__ import annotations

from typing import Any

from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields import issues, refs
from bot.sandbox.graphql.fields.interface import (
    Args,
    Field,
    classic_projects,
    constant,
    copied,
    empty,
    enum,
    ordered,
    path_of,
)
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.people import RANKS
from bot.sandbox.shapes import repositories as shapes
from bot.sandbox.shapes.basics import iso, node


def rest(thing: Thing, at: Context) -> dict[str, Any]:
    """The repository as the REST API shows it."""
    found: dict[str, Any] = at.once("rest", thing, lambda: shapes.full(at.links, thing.repo, at.role(thing.repo)))
    return found


# --- labels, people, forks


def _label(thing: Thing, _at: Context, args: Args) -> Thing | None:
    found = thing.repo.labels.get(args["name"])
    return Thing("Label", found, thing.repo) if found else None


def _labels(thing: Thing, _at: Context, args: Args) -> Connection:
    query = (args.get("query") or "").lower()
    found = [Thing("Label", one, thing.repo) for one in thing.repo.labels.values() if query in one.name.lower()]
    return Connection(ordered(found, args, {"NAME": lambda one: one.value.name.lower()}), args)


def _people(least: str) -> Field:
    """Everybody whose role in the repository is this or higher."""

    def field(thing: Thing, at: Context, args: Args) -> Connection:
        rank, query = RANKS.index(least), (args.get("query") or "").lower()
        names = [one for one in thing.repo.permissions if RANKS.index(at.hub.permission(thing.repo, one)) >= rank]
        found = [at.account(name) for name in names if query in name.lower()]
        edges = [{"permission": enum(at.hub.permission(thing.repo, name))} for name in names if query in name.lower()]
        return Connection([one for one in found if one is not None], args, edges=edges)

    return field


def _forks(thing: Thing, at: Context, args: Args) -> Connection:
    found = [one for one in at.hub.data.repositories.values() if one.parent == thing.repo.full_name]
    return Connection([Thing("Repository", one, one) for one in found], args)


def _parent(thing: Thing, at: Context, _args: Args) -> Thing | None:
    return at.repository(thing.repo.parent) if thing.repo.parent else None


# --- the repository itself


def _permission(thing: Thing, at: Context, _args: Args) -> str | None:
    """None for an app."""
    token = at.call.token
    return enum(at.role(thing.repo)) if token is not None and token.permissions is None else None


def _method(thing: Thing, at: Context, _args: Args) -> str:
    """The first that the settings allow."""
    body = rest(thing, at)
    allowed = {"MERGE": "allow_merge_commit", "SQUASH": "allow_squash_merge", "REBASE": "allow_rebase_merge"}
    return next((word for word, key in allowed.items() if body[key]), "MERGE")


_SETTINGS = {
    "mergeCommitAllowed": "allow_merge_commit",
    "squashMergeAllowed": "allow_squash_merge",
    "rebaseMergeAllowed": "allow_rebase_merge",
    "autoMergeAllowed": "allow_auto_merge",
    "deleteBranchOnMerge": "delete_branch_on_merge",
    "allowUpdateBranch": "allow_update_branch",
    "forkingAllowed": "allow_forking",
    "webCommitSignoffRequired": "web_commit_signoff_required",
    "hasIssuesEnabled": "has_issues",
    "hasProjectsEnabled": "has_projects",
    "hasWikiEnabled": "has_wiki",
    "hasDiscussionsEnabled": "has_discussions",
    "isArchived": "archived",
    "isDisabled": "disabled",
    "isPrivate": "private",
    "isTemplate": "is_template",
    "isFork": "fork",
}

_PLAIN = {
    "id": "node_id",
    "databaseId": "id",
    "name": "name",
    "nameWithOwner": "full_name",
    "description": "description",
    "homepageUrl": "homepage",
    "mirrorUrl": "mirror_url",
    "url": "html_url",
    "sshUrl": "ssh_url",
    "createdAt": "created_at",
    "pushedAt": "pushed_at",
    "updatedAt": "updated_at",
    "forkCount": "forks_count",
    "stargazerCount": "stargazers_count",
    "diskUsage": "size",
}

_FALSE = (
    "hasSponsorshipsEnabled",
    "hasVulnerabilityAlertsEnabled",
    "isBlankIssuesEnabled",
    "isLocked",
    "isMirror",
    "isSecurityPolicyEnabled",
    "isUserConfigurationRepository",
    "usesCustomOpenGraphImage",
    "viewerHasStarred",
)
_NONE = (
    "archivedAt",
    "codeOfConduct",
    "licenseInfo",
    "lockReason",
    "milestone",
    "primaryLanguage",
    "securityPolicyUrl",
    "templateRepository",
    "tempCloneToken",
    "viewerSubscription",
)
_EMPTY = (
    "commitComments",
    "deployKeys",
    "discussions",
    "languages",
    "milestones",
    "pinnedIssues",
    "projectsV2",
    "repositoryTopics",
    "stargazers",
    "watchers",
)
_BLANK = ("contactLinks", "fundingLinks", "issueTemplates", "pullRequestTemplates")

_REPOSITORY: dict[str, Field] = (
    copied(rest, _PLAIN | _SETTINGS)
    | dict.fromkeys(_FALSE, constant(False))
    | dict.fromkeys(_NONE, constant(None))
    | dict.fromkeys(_BLANK, constant([]))
    | dict.fromkeys(_EMPTY, empty)
    | {
        "projects": classic_projects,
        "resourcePath": lambda thing, at, _: path_of(rest(thing, at)["html_url"], at),
        "openGraphImageUrl": lambda thing, at, _: f"{at.links.page(thing.repo)}/card.png",
        "visibility": lambda thing, at, _: enum(rest(thing, at)["visibility"]),
        "owner": lambda thing, at, _: at.owner(thing.repo.owner),
        "isEmpty": lambda thing, at, _: refs.default_branch(thing, at, {}) is None,
        "isInOrganization": lambda thing, at, _: at.owner(thing.repo.owner).kind == "Organization",
        "parent": _parent,
        "forks": _forks,
        "viewerPermission": _permission,
        "viewerCanAdminister": lambda thing, at, _: at.role(thing.repo) == "admin",
        "viewerDefaultMergeMethod": _method,
        "viewerDefaultCommitEmail": lambda _thing, at, _: at.hub.person(at.login).email,
        "viewerPossibleCommitEmails": lambda _thing, at, _: [at.hub.person(at.login).email],
        "defaultBranchRef": refs.default_branch,
        "ref": refs.by_name,
        "refs": refs.all_refs,
        "object": refs.by_expression,
        "label": _label,
        "labels": _labels,
        "collaborators": _people("read"),
        "assignableUsers": _people("triage"),
        "mentionableUsers": _people("read"),
        "issue": issues.issue,
        "issues": issues.all_issues,
        "pullRequest": issues.pull_request,
        "pullRequests": issues.all_pulls,
        "issueOrPullRequest": issues.either,
    }
)

_LABEL: dict[str, Field] = {
    "id": lambda thing, _at, _: node("Label", thing.value.id),
    "name": lambda thing, _at, _: thing.value.name,
    "color": lambda thing, _at, _: thing.value.color,
    "description": lambda thing, _at, _: thing.value.description,
    "isDefault": constant(False),
    "repository": lambda thing, _at, _: Thing("Repository", thing.repo, thing.repo),
    "url": lambda thing, at, _: f"{at.links.page(thing.repo)}/labels/{thing.value.name}",
    "createdAt": lambda thing, _at, _: iso(thing.repo.created_at),
}

FIELDS: dict[str, dict[str, Field]] = {
    "Repository": _REPOSITORY,
    "Label": _LABEL,
}
