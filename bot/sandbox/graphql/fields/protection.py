"""What protects branches and tags: rulesets with their rules, and classic branch protection."""

from __future__ import annotations

from typing import Any

from bot.sandbox import protections, rulesets
from bot.sandbox.graphql.connection import Connection
from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields.interface import Args, Field, constant, empty, enum
from bot.sandbox.graphql.schema import schema
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.shapes.basics import node

# --- rulesets


def _all(thing: Thing, at: Context, args: Args) -> Connection:
    """The repository's and, unless `includeParents` is false, its organization's."""
    found = rulesets.every(at.hub, thing.repo, parents=args.get("includeParents", True))
    wanted = args.get("targets")
    return Connection([_ruleset(one, thing) for one in found if not wanted or enum(one["target"]) in wanted], args)


def _by_number(thing: Thing, at: Context, args: Args) -> Thing | None:
    found = rulesets.every(at.hub, thing.repo, parents=args.get("includeParents", True))
    return next((_ruleset(one, thing) for one in found if one["id"] == args["databaseId"]), None)


def _ruleset(found: dict[str, Any], near: Thing) -> Thing:
    return Thing("RepositoryRuleset", found, near.repo)


def _source(thing: Thing, at: Context, _args: Args) -> Thing:
    is_own = thing.value["source_type"] == "Repository"
    return Thing("Repository", thing.repo, thing.repo) if is_own else at.owner(thing.value["source"])


def _rules(thing: Thing, _at: Context, args: Args) -> Connection:
    wanted = args.get("type")
    found = [one for one in thing.value["rules"] if wanted in (None, enum(one["type"]))]
    return Connection([Thing("RepositoryRule", (thing, one), thing.repo) for one in found], args)


def _parameters(thing: Thing, _at: Context, _args: Args) -> Thing | None:
    """Of the type that GitHub's schema has for the rule, None for a rule that has none."""
    rule = thing.value[1]
    kind = f"{rule['type'].replace('_', ' ').title().replace(' ', '')}Parameters"
    given = rule.get("parameters")
    return Thing(kind, given, thing.repo) if given is not None and kind in schema().type_map else None


def _rules_of_ref(thing: Thing, at: Context, args: Args) -> Connection:
    """Every rule that holds for the ref."""
    found = [(one, rule) for one in rulesets.active(at.hub, thing.repo, thing.key) for rule in one["rules"]]
    return Connection([Thing("RepositoryRule", (_ruleset(one, thing), rule), thing.repo) for one, rule in found], args)


_RULESET: dict[str, Field] = {
    "id": lambda thing, _at, _: node("Ruleset", thing.value["id"]),
    "databaseId": lambda thing, _at, _: thing.value["id"],
    "name": lambda thing, _at, _: thing.value["name"],
    "enforcement": lambda thing, _at, _: enum(thing.value["enforcement"]),
    "target": lambda thing, _at, _: enum(thing.value["target"]),
    "source": _source,
    "conditions": lambda thing, _at, _: {"refName": thing.value["conditions"].get("ref_name")},
    "rules": _rules,
    "createdAt": lambda thing, _at, _: thing.value["created_at"],
    "updatedAt": lambda thing, _at, _: thing.value["updated_at"],
    "bypassActors": empty,
}

_RULE: dict[str, Field] = {
    "id": lambda thing, _at, _: node("RepositoryRule", f"{thing.value[0].value['id']}:{thing.value[1]['type']}"),
    "type": lambda thing, _at, _: enum(thing.value[1]["type"]),
    "parameters": _parameters,
    "repositoryRuleset": lambda thing, _at, _: thing.value[0],
}


# --- classic protection


def _protection_of(thing: Thing, _at: Context, _args: Args) -> Thing | None:
    name = thing.key.removeprefix("refs/heads/")
    body = protections.protection_of(thing.repo, name) if thing.key.startswith("refs/heads/") else None
    patterns = [pattern for pattern, one in thing.repo.protections.items() if one is body]
    return Thing("BranchProtectionRule", (body, patterns[0]), thing.repo) if body is not None else None


def _protections(thing: Thing, _at: Context, args: Args) -> Connection:
    found = [Thing("BranchProtectionRule", (body, name), thing.repo) for name, body in thing.repo.protections.items()]
    return Connection(found, args)


def _flag(name: str) -> Field:
    return lambda thing, _at, _: bool(thing.value[0].get(name))


def _reviews(thing: Thing) -> dict[str, Any]:
    return thing.value[0].get("required_pull_request_reviews") or {}


def _checks(thing: Thing) -> dict[str, Any]:
    return thing.value[0].get("required_status_checks") or {}


def _count(thing: Thing, _at: Context, _args: Args) -> int | None:
    asks = thing.value[0].get("required_pull_request_reviews") is not None
    return int(_reviews(thing).get("required_approving_review_count", 1)) if asks else None


def _contexts(thing: Thing, _at: Context, _args: Args) -> list[str]:
    found = _checks(thing)
    return [*(found.get("contexts") or []), *(one["context"] for one in found.get("checks") or [])]


_PROTECTION: dict[str, Field] = {
    "id": lambda thing, _at, _: node("BranchProtectionRule", f"{thing.repo.id}:{thing.key}"),
    "pattern": lambda thing, _at, _: thing.key,
    "repository": lambda thing, _at, _: Thing("Repository", thing.repo, thing.repo),
    "allowsDeletions": _flag("allow_deletions"),
    "allowsForcePushes": _flag("allow_force_pushes"),
    "blocksCreations": _flag("block_creations"),
    "isAdminEnforced": _flag("enforce_admins"),
    "lockBranch": _flag("lock_branch"),
    "lockAllowsFetchAndMerge": _flag("allow_fork_syncing"),
    "requiresLinearHistory": _flag("required_linear_history"),
    "requiresCommitSignatures": _flag("required_signatures"),
    "requiresConversationResolution": _flag("required_conversation_resolution"),
    "restrictsPushes": lambda thing, _at, _: thing.value[0].get("restrictions") is not None,
    "requiresApprovingReviews": lambda thing, _at, _: _count(thing, _at, _) is not None,
    "requiredApprovingReviewCount": _count,
    "dismissesStaleReviews": lambda thing, _at, _: bool(_reviews(thing).get("dismiss_stale_reviews")),
    "requiresCodeOwnerReviews": lambda thing, _at, _: bool(_reviews(thing).get("require_code_owner_reviews")),
    "requireLastPushApproval": lambda thing, _at, _: bool(_reviews(thing).get("require_last_push_approval")),
    "restrictsReviewDismissals": constant(False),
    "requiresStatusChecks": lambda thing, _at, _: bool(_checks(thing)),
    "requiresStrictStatusChecks": lambda thing, _at, _: bool(_checks(thing).get("strict")),
    "requiredStatusCheckContexts": _contexts,
    "requiresDeployments": constant(False),
    "requiredDeploymentEnvironments": constant([]),
    "creator": constant(None),
}

FIELDS: dict[str, dict[str, Field]] = {
    "Repository": {"rulesets": _all, "ruleset": _by_number, "branchProtectionRules": _protections},
    "Ref": {"branchProtectionRule": _protection_of, "rules": _rules_of_ref},
    "RepositoryRuleset": _RULESET,
    "RepositoryRule": _RULE,
    "BranchProtectionRule": _PROTECTION,
}
