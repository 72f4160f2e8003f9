"""Deployments: /repos/{owner}/{repo}/deployments."""

from __future__ import annotations

import json
from typing import Any

from bot.sandbox import events
from bot.sandbox.http import ApiError, Call, Page, Reply, Route, invalid, not_found
from bot.sandbox.people import WEB_FLOW
from bot.sandbox.routes.issues import R
from bot.sandbox.routes.refs import guard
from bot.sandbox.shapes import commits as shapes
from bot.sandbox.store import Deployment, DeploymentStatus, Environment

DEPLOYMENTS = ("deployments",)
STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")


def list_deployments(call: Call) -> Page:
    wanted = {name: call.query[name] for name in ("sha", "ref", "task", "environment") if call.query.get(name)}
    found = [
        one
        for one in reversed(call.repo.deployments.values())
        if all(value in ("none", getattr(one, name)) for name, value in wanted.items())
    ]
    return Page(found, lambda one: shapes.deployment(call.links, call.repo, one))


def create_deployment(call: Call) -> Reply:
    ref = call.text("ref", resource="Deployment")
    commit = call.hub.bare(call.repo).commit(ref)
    if commit is None:
        raise ApiError(422, f"No ref found for: {ref}")
    if merged := _auto_merged(call, ref, str(commit.id)):
        return merged
    sha, now = str(commit.id), call.hub.clock()
    _required_contexts(call, ref, sha)
    environment = call.text("environment", resource="Deployment", default="production")
    description = call.text("description", resource="Deployment", limit=140, default="")
    production = call.get("production_environment")
    found = Deployment(
        id=call.hub.next_id(),
        sha=sha,
        ref=ref,
        task=call.text("task", resource="Deployment", default="deploy"),
        environment=environment,
        payload=_payload(call.get("payload", {})),
        description=description,
        creator=call.login,
        created_at=now,
        production=environment == "production" if production is None else bool(production),
        transient=bool(call.get("transient_environment", False)),
    )
    call.repo.deployments[found.id] = found
    call.repo.environments.setdefault(environment, Environment(environment, now))  # GitHub makes it too
    body = shapes.deployment(call.links, call.repo, found)
    parts: dict[str, Any] = {"deployment": body, "workflow": None, "workflow_run": None}
    events.announce(call.hub, call.repo, "deployment", "created", call.login, call.by_run, **parts)
    return Reply(body, 201)


def _payload(given: Any) -> Any:
    try:
        return json.loads(given) if isinstance(given, str) and given else given or {}
    except ValueError:
        return given


def _auto_merged(call: Call, ref: str, sha: str) -> Reply | None:
    """A branch that lies behind the default one is brought up to date first, unless `auto_merge` is false: 202 or 409.

    https://docs.github.com/rest/deployments/deployments#create-a-deployment
    """
    bare, default = call.hub.bare(call.repo), call.repo.default_branch
    tip = bare.branch(default)
    if not call.get("auto_merge", True) or tip is None or bare.branch(ref) is None or bare.merge_base(tip, sha) == tip:
        return None
    tree = bare.merged_tree(sha, tip)
    if tree is None:
        raise ApiError(409, f"Conflict merging {default} into {ref}.")
    message, author = f"Merge branch '{default}' into {ref}\n", call.hub.person(call.login)
    made = bare.write_commit(tree, [sha, tip], message, author=author, committer=WEB_FLOW, at=call.hub.clock())
    guard(call, f"refs/heads/{ref}", sha, made, 409)
    call.repo.signed.append(made)
    before = bare.refs()
    bare.set_ref(f"refs/heads/{ref}", made)
    events.refs_moved(call.hub, call.repo, before, call.login, call.by_run)
    return Reply({"message": f"Auto-merged {default} into {ref} on deployment."}, 202)


def _required_contexts(call: Call, ref: str, sha: str) -> None:
    """None means every status there is must be green; an empty list asks for none."""
    required = call.get("required_contexts")
    latest = {one.context: one.state for one in shapes.latest_statuses(call.repo, sha)}
    names = list(latest) if required is None else required
    contexts = [{"context": name, "state": latest.get(name, "expected")} for name in names]
    if any(one["state"] != "success" for one in contexts):
        missing = {"contexts": contexts, "resource": "Deployment", "field": "required_contexts", "code": "invalid"}
        raise ApiError(409, f"Conflict: Commit status checks failed for {ref}.", [missing])


def deployment_of(call: Call) -> Deployment:
    found = call.repo.deployments.get(call.number("deployment_id"))
    if found is None:
        raise not_found()
    return found


def get_deployment(call: Call) -> Reply:
    return Reply(shapes.deployment(call.links, call.repo, deployment_of(call)))


def list_statuses(call: Call) -> Page:
    found = deployment_of(call)
    newest_first = list(reversed(found.statuses))
    return Page(newest_first, lambda one: shapes.deployment_status(call.links, call.repo, found, one))


def create_status(call: Call) -> Reply:
    found, state = deployment_of(call), call.text("state", resource="DeploymentStatus")
    if state not in STATES:
        raise invalid("DeploymentStatus", "state")
    description = call.text("description", resource="DeploymentStatus", limit=140, default="")
    status = DeploymentStatus(call.hub.next_id(), state, description, call.login, call.hub.clock())
    status.log_url = call.text("log_url", resource="DeploymentStatus", default="")
    status.environment_url = call.text("environment_url", resource="DeploymentStatus", default="")
    found.statuses.append(status)
    if state == "success" and call.get("auto_inactive", True) and not found.transient:
        _make_others_inactive(call, found)
    body = shapes.deployment_status(call.links, call.repo, found, status)
    deployment = shapes.deployment(call.links, call.repo, found)
    events.announce(
        call.hub,
        call.repo,
        "deployment_status",
        "created",
        call.login,
        call.by_run,
        deployment=deployment,
        deployment_status=body,
    )
    return Reply(body, 201)


def _make_others_inactive(call: Call, newest: Deployment) -> None:
    # https://docs.github.com/rest/deployments/statuses: auto_inactive, same environment, not transient
    for one in call.repo.deployments.values():
        same = one is not newest and one.environment == newest.environment and not one.transient
        if same and one.statuses and one.statuses[-1].state == "success":
            now = call.hub.clock()
            one.statuses.append(DeploymentStatus(call.hub.next_id(), "inactive", "", newest.creator, now))


ROUTES = [
    Route("GET", R + "/deployments", list_deployments, DEPLOYMENTS),
    Route("POST", R + "/deployments", create_deployment, DEPLOYMENTS, "write"),
    Route("GET", R + "/deployments/{deployment_id}", get_deployment, DEPLOYMENTS),
    Route("GET", R + "/deployments/{deployment_id}/statuses", list_statuses, DEPLOYMENTS),
    Route("POST", R + "/deployments/{deployment_id}/statuses", create_status, DEPLOYMENTS, "write"),
]
