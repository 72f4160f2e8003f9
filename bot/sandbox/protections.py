"""Classic branch protection: what was set for a branch by name or pattern, read as rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.sandbox.hub import Hub
from bot.sandbox.patterns import matches
from bot.sandbox.rulesets import Actor, Mode
from bot.sandbox.store import Repository

# what no administrator passes by, whatever `enforce_admins` says
_FOR_ALL = ("deletion", "non_fast_forward", "lock_branch", "creation")


def protection_of(repository: Repository, branch: str) -> dict[str, Any] | None:
    """The body that was put for a branch: by its own name first, else by a pattern. None when it is not protected."""
    if branch in repository.protections:
        return repository.protections[branch]
    found = (body for pattern, body in repository.protections.items() if matches(pattern, branch))
    return next(found, None)


def rules_of(hub: Hub, repository: Repository, ref: str, actor: Actor) -> Iterator[tuple[dict[str, Any], Mode]]:
    """Rules of a branch, each with how far the actor may pass by it."""
    body = protection_of(repository, ref.removeprefix("refs/heads/")) if ref.startswith("refs/heads/") else None
    if body is None:
        return
    is_admin = actor.role == "admin"
    for rule in as_rules(body, hub, actor):
        free = is_admin and not body.get("enforce_admins") and rule["type"] not in _FOR_ALL
        yield rule, "always" if free else "never"


def as_rules(body: dict[str, Any], hub: Hub, actor: Actor) -> Iterator[dict[str, Any]]:
    """https://docs.github.com/rest/branches/branch-protection#update-branch-protection, in the words of rulesets."""
    flags = {
        "deletion": not body.get("allow_deletions"),
        "non_fast_forward": not body.get("allow_force_pushes"),
        "required_linear_history": body.get("required_linear_history"),
        "required_signatures": body.get("required_signatures"),
        "lock_branch": body.get("lock_branch"),
        "creation": body.get("block_creations") and body.get("restrictions") is not None,
    }
    yield from ({"type": name} for name, is_on in flags.items() if is_on)
    reviews = body.get("required_pull_request_reviews")
    if reviews is not None:
        parameters = {
            "required_approving_review_count": reviews.get("required_approving_review_count", 1),
            "dismiss_stale_reviews_on_push": bool(reviews.get("dismiss_stale_reviews")),
            "require_code_owner_review": bool(reviews.get("require_code_owner_reviews")),
            "require_last_push_approval": bool(reviews.get("require_last_push_approval")),
        }
        yield {"type": "pull_request", "parameters": parameters}
    checks = body.get("required_status_checks")
    if checks is not None:
        named = [{"context": name} for name in checks.get("contexts") or []]
        named += [
            {"context": one["context"], "integration_id": one.get("app_id")} for one in checks.get("checks") or []
        ]
        strict = bool(checks.get("strict"))
        parameters = {"required_status_checks": named, "strict_required_status_checks_policy": strict}
        yield {"type": "required_status_checks", "parameters": parameters}
    allowed = body.get("restrictions")
    if allowed is not None and not _may_push(allowed, hub, actor):
        yield {"type": "restrictions"}


def _may_push(allowed: dict[str, Any], hub: Hub, actor: Actor) -> bool:
    if actor.app is not None:
        app = hub.data.apps.get(actor.app)
        return (app.slug if app else "github-actions") in (allowed.get("apps") or [])
    in_team = any(hub.team_role(slug, actor.login) for slug in allowed.get("teams") or [] if slug in hub.data.teams)
    return in_team or actor.login in (allowed.get("users") or [])
