"""The repository's own switches: PATCH /repos/{owner}/{repo}, and what its Actions may do."""

from __future__ import annotations

import functools
from typing import Any

from bot.errors import UserError
from bot.sandbox import branches, moves
from bot.sandbox.http import ApiError, Call, Reply, Route, invalid
from bot.sandbox.routes.issues import R
from bot.sandbox.shapes.repositories import full, minimal
from bot.sandbox.switches import MERGE_METHODS

SWITCHES = (
    *MERGE_METHODS.values(), "allow_auto_merge", "allow_update_branch", "delete_branch_on_merge", "has_issues",
    "archived",
)  # fmt: skip


def edit_repository(call: Call) -> Reply:
    """Switches and the default branch. An archived repository takes nothing but `archived: false`."""
    repository, given = call.repo, call.body if isinstance(call.body, dict) else {}
    wanted = {name: given[name] for name in SWITCHES if given.get(name) is not None}
    if repository.switches.archived and wanted.get("archived") is not False:
        raise ApiError(403, "Repository was archived so is read-only.")
    for name, value in wanted.items():
        if not isinstance(value, bool):
            raise ApiError(422, f"Invalid request.\n\nFor 'properties/{name}', {value!r} is not a boolean.")
    after = vars(repository.switches) | wanted
    if not any(after[name] for name in MERGE_METHODS.values()):
        said = "Sorry, you need to allow at least one merge strategy. (no_merge_method)"
        raise invalid("Repository", "merge_commit_allowed", message=said)
    branch = given.get("default_branch")
    if branch is not None:
        branches.set_default(call.hub, repository, branch, call.login, call.by_run)
    for name, value in wanted.items():
        setattr(repository.switches, name, value)
    repository.private = bool(given.get("private", repository.private))
    if given.get("name") not in (None, repository.name):
        _move(call, f"{repository.owner}/{call.text('name', resource='Repository')}")
    return Reply(full(call.links, repository, call.role()))


def transfer(call: Call) -> Reply:
    """To another owner, at once; GitHub does it a little later."""
    repository = call.repo
    name = call.text("new_name", resource="Repository", default=repository.name)
    _move(call, f"{call.text('new_owner', resource='Repository')}/{name}")
    return Reply(minimal(call.links, repository), 202)


def _move(call: Call, full_name: str) -> None:
    try:
        moves.rename(call.hub, call.repo, full_name, call.login)
    except UserError as error:
        raise invalid("Repository", "name", "custom", str(error)) from None


def actions_permissions(call: Call) -> Reply:
    actions = call.repo.switches.actions
    body: dict[str, Any] = {"enabled": actions.enabled, "sha_pinning_required": False}
    if actions.enabled:
        body["allowed_actions"] = actions.allowed
        if actions.allowed == "selected":
            url = f"{call.links.repo(call.repo)}/actions/permissions/selected-actions"
            body["selected_actions_url"] = url
    return Reply(body)


def set_actions_permissions(call: Call) -> Reply:
    actions, enabled = call.repo.switches.actions, call.get("enabled")
    if not isinstance(enabled, bool):
        raise ApiError(422, 'Invalid request.\n\n"enabled" wasn\'t supplied.')
    allowed = call.get("allowed_actions", actions.allowed)
    if allowed not in ("all", "local_only", "selected"):
        raise invalid("Repository", "allowed_actions")
    actions.enabled, actions.allowed = enabled, allowed
    return Reply(None, 204)


def _need_selected(call: Call) -> None:
    if call.repo.switches.actions.allowed != "selected":
        raise ApiError(409, "Conflict: allowed_actions is not selected")


def selected_actions(call: Call) -> Reply:
    _need_selected(call)
    actions = call.repo.switches.actions
    return Reply(
        {
            "github_owned_allowed": actions.github_owned,
            "verified_allowed": actions.verified,
            "patterns_allowed": actions.patterns,
        }
    )


def set_selected_actions(call: Call) -> Reply:
    _need_selected(call)
    actions = call.repo.switches.actions
    actions.github_owned = bool(call.get("github_owned_allowed", actions.github_owned))
    actions.verified = bool(call.get("verified_allowed", actions.verified))
    actions.patterns = [str(one) for one in call.get("patterns_allowed", actions.patterns)]
    return Reply(None, 204)


_admin = functools.partial(Route, needs=("never",), role="admin")

ROUTES = [
    _admin("PATCH", R, edit_repository),
    _admin("POST", R + "/transfer", transfer),
    _admin("GET", R + "/actions/permissions", actions_permissions),
    _admin("PUT", R + "/actions/permissions", set_actions_permissions),
    _admin("GET", R + "/actions/permissions/selected-actions", selected_actions),
    _admin("PUT", R + "/actions/permissions/selected-actions", set_selected_actions),
]
