"""Rulesets: what a merge and a push must fulfil, in GitHub's shapes and words."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from typing import Any

from bot.sandbox.http import ApiError
from bot.sandbox.hub import Hub
from bot.sandbox.people import RANKS
from bot.sandbox.shapes.commits import latest_statuses
from bot.sandbox.store import Issue, Pull, Repository

WORKFLOWS = ".github/workflows"


def ruleset(
    hub: Hub,
    repository: Repository,
    *,
    branch: str = "main",
    checks: Iterable[str] = (),
    approvals: int = 0,
    app: int | None = None,
    bypass: Iterable[str] = (),
) -> dict[str, Any]:
    """A ruleset as GitHub shows it, with our own key `bypass`: logins that no rule holds back."""
    source = {"integration_id": app} if app is not None else {}
    required = [{"context": name, **source} for name in checks]
    parameters = {
        "required_approving_review_count": approvals,
        "dismiss_stale_reviews_on_push": False,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_review_thread_resolution": False,
    }
    rules: list[dict[str, Any]] = [{"type": "deletion"}, {"type": "non_fast_forward"}]
    rules.append({"type": "pull_request", "parameters": parameters})
    if required:
        wanted = {"strict_required_status_checks_policy": False, "required_status_checks": required}
        rules.append({"type": "required_status_checks", "parameters": wanted})
    number = hub.next_id()
    return {
        "id": number,
        "name": f"protect {branch}",
        "target": "branch",
        "source_type": "Repository",
        "source": repository.full_name,
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [f"refs/heads/{branch}"], "exclude": []}},
        "bypass": list(bypass),
        "rules": rules,
    }


def rules_of(repository: Repository, ref: str, login: str = "") -> list[dict[str, Any]]:
    """Active rules of a ref, with where they come from; `login` leaves out those that do not hold that person back."""
    found = []
    for one in repository.rulesets:
        if one["enforcement"] != "active" or login in one.get("bypass", ()):
            continue
        if any(_covers(repository, pattern, ref) for pattern in one["conditions"]["ref_name"]["include"]):
            origin = {"ruleset_source_type": "Repository", "ruleset_source": one["source"], "ruleset_id": one["id"]}
            found += [rule | origin for rule in one["rules"]]
    return found


def _covers(repository: Repository, pattern: str, ref: str) -> bool:
    if pattern == "~ALL":
        return ref.startswith("refs/heads/")
    if pattern == "~DEFAULT_BRANCH":
        return ref == f"refs/heads/{repository.default_branch}"
    return fnmatch.fnmatchcase(ref, pattern)


def check_merge(hub: Hub, repository: Repository, found: Issue, pull: Pull, login: str) -> None:
    """Raises 405 naming every rule that the merge would break."""
    broken = []
    for rule in rules_of(repository, f"refs/heads/{pull.base_ref}", login):
        parameters = rule.get("parameters", {})
        if rule["type"] == "required_status_checks":
            latest = {one.context: one for one in latest_statuses(repository, pull.head_sha)}
            for check in parameters["required_status_checks"]:
                status = latest.get(check["context"])
                right = status is not None and check.get("integration_id") in (None, status.app)
                if status is None or not right:
                    broken.append(f'Required status check "{check["context"]}" is expected.')
                elif status.state != "success":
                    broken.append(f'Required status check "{check["context"]}" is {status.state}.')
        elif rule["type"] == "pull_request":
            wanted = parameters["required_approving_review_count"]
            if approvals(hub, repository, found) < wanted:
                broken.append(f"At least {wanted} approving review is required by reviewers with write access.")
    if broken:
        raise ApiError(405, "Repository rule violations found\n\n" + "\n\n".join(broken))


def approvals(hub: Hub, repository: Repository, found: Issue) -> int:
    """People with write access whose last opinion is an approval."""
    last: dict[str, str] = {}
    for review in repository.reviews.values():
        if review.number == found.number and review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            last[review.author] = review.state
    strong = RANKS.index("write")
    return sum(
        state == "APPROVED" and RANKS.index(hub.permission(repository, login)) >= strong
        for login, state in last.items()
    )


def refusal(repository: Repository, ref: str, login: str, *, forced: bool, deleted: bool) -> str | None:
    """Why somebody may not move a ref by a push, None when they may."""
    types = {rule["type"] for rule in rules_of(repository, ref, login)}
    if deleted and "deletion" in types:
        return "Cannot delete this branch"
    if forced and "non_fast_forward" in types:
        return "Cannot force-push to this branch"
    if "pull_request" in types and not deleted:
        return "Changes must be made through a pull request."
    return None


def workflow_refusal(paths: Iterable[str]) -> str | None:
    """What GITHUB_TOKEN is told when it brings a change of a workflow file, None when there is none among the paths."""
    for path in paths:
        if path.startswith(f"{WORKFLOWS}/"):
            return (
                f"refusing to allow a GitHub App to create or update workflow `{path}` without `workflows` permission"
            )
    return None
