"""Classic branch protection as GitHub shows it."""

from __future__ import annotations

from typing import Any

from bot.sandbox.shapes.basics import Links
from bot.sandbox.store import Repository

_FLAGS = ("required_linear_history", "allow_force_pushes", "allow_deletions", "block_creations", "lock_branch")


def summary(body: dict[str, Any] | None) -> dict[str, Any]:
    """What a branch says of its protection; None means that it has none."""
    checks = (body or {}).get("required_status_checks") or {}
    level = "off"
    if checks:
        level = "everyone" if (body or {}).get("enforce_admins") else "non_admins"
    wanted = {"enforcement_level": level, "contexts": _contexts(checks), "checks": _checks(checks)}
    return {"enabled": body is not None, "required_status_checks": wanted}


def _contexts(checks: dict[str, Any]) -> list[str]:
    return [*(checks.get("contexts") or []), *(one["context"] for one in checks.get("checks") or [])]


def _checks(checks: dict[str, Any]) -> list[dict[str, Any]]:
    given = [{"context": one["context"], "app_id": one.get("app_id")} for one in checks.get("checks") or []]
    return [*({"context": name, "app_id": None} for name in checks.get("contexts") or []), *given]


def whole(
    links: Links, repository: Repository, branch: str, body: dict[str, Any], *, put: bool = False
) -> dict[str, Any]:
    """GitHub's `branch-protection`; `put` makes it a `protected-branch`, the answer to setting it."""
    url = f"{links.repo(repository)}/branches/{branch}/protection"
    found: dict[str, Any] = {"url": url} | {name: {"enabled": bool(body.get(name))} for name in _FLAGS}
    found["enforce_admins"] = {"url": f"{url}/enforce_admins", "enabled": bool(body.get("enforce_admins"))}
    found["required_signatures"] = {
        "url": f"{url}/required_signatures",
        "enabled": bool(body.get("required_signatures")),
    }
    if checks := body.get("required_status_checks"):
        where = f"{url}/required_status_checks"
        found["required_status_checks"] = {
            "url": where,
            "contexts_url": f"{where}/contexts",
            "strict": bool(checks.get("strict")),
            "contexts": _contexts(checks),
            "checks": _checks(checks),
        }
    reviews = body.get("required_pull_request_reviews")
    if reviews is not None:
        found["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews",
            "dismiss_stale_reviews": bool(reviews.get("dismiss_stale_reviews")),
            "require_code_owner_reviews": bool(reviews.get("require_code_owner_reviews")),
            "require_last_push_approval": bool(reviews.get("require_last_push_approval")),
            "required_approving_review_count": reviews.get("required_approving_review_count", 1),
        }
    if body.get("restrictions") is not None:
        found["restrictions"] = _restrictions(links, f"{url}/restrictions", body["restrictions"])
    return found if put else found | {"name": branch, "protection_url": url}


def _restrictions(links: Links, url: str, allowed: dict[str, Any]) -> dict[str, Any]:
    apps = [one for one in links.hub.data.apps.values() if one.slug in (allowed.get("apps") or [])]
    return {
        "url": url,
        "users_url": f"{url}/users",
        "teams_url": f"{url}/teams",
        "apps_url": f"{url}/apps",
        "users": [links.account(login) for login in allowed.get("users") or []],
        "teams": [],
        "apps": [links.app(one.id) for one in apps],
    }
