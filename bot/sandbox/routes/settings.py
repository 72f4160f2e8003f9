"""What an administrator sets: what tokens may by default, environments with branches, secrets, variables."""

from __future__ import annotations

import base64
import functools
from typing import Any

from bot.sandbox.http import ApiError, Call, Page, Reply, Route, invalid, not_found
from bot.sandbox.routes.issues import R
from bot.sandbox.shapes.basics import iso, node
from bot.sandbox.store import Environment, Repository

E = R + "/environments/{name}"
TAGS = "refs/tags/"  # before a pattern of tags


def workflow_permissions(call: Call) -> Reply:
    return Reply(
        {
            "default_workflow_permissions": call.repo.default_permissions,
            "can_approve_pull_request_reviews": call.repo.runs_approve,
        }
    )


def set_workflow_permissions(call: Call) -> Reply:
    level = call.get("default_workflow_permissions", call.repo.default_permissions)
    if level not in ("read", "write"):
        raise invalid("Repository", "default_workflow_permissions")
    call.repo.default_permissions = level
    call.repo.runs_approve = bool(call.get("can_approve_pull_request_reviews", call.repo.runs_approve))
    return Reply(None, 204)


def environment_of(call: Call) -> Environment:
    found = call.repo.environments.get(call.params["name"])
    if found is None:
        raise not_found()
    return found


def put_environment(call: Call) -> Reply:
    """Create it, or change which branches may use it; a body without a policy lets every branch."""
    name = call.params["name"]
    found = call.repo.environments.setdefault(name, Environment(name, call.hub.clock()))
    policy = call.get("deployment_branch_policy")
    if policy is not None and policy.get("protected_branches") == policy.get("custom_branch_policies"):
        raise ApiError(422, "protected_branches and custom_branch_policies cannot have the same value")
    found.is_limited, found.for_protected = policy is not None, bool((policy or {}).get("protected_branches"))
    return Reply(shape(call, found))


def shape(call: Call, found: Environment) -> dict[str, Any]:
    """GitHub's `environment`."""
    policy = {"protected_branches": found.for_protected, "custom_branch_policies": not found.for_protected}
    return {
        "id": 500 + sum(map(ord, found.name)),
        "node_id": node("Environment", found.name),
        "name": found.name,
        "url": f"{call.links.repo(call.repo)}/environments/{found.name}",
        "html_url": f"{call.links.page(call.repo)}/deployments",
        "created_at": iso(found.created_at),
        "updated_at": iso(found.created_at),
        "protection_rules": [_branch_rule(found)] if found.is_limited else [],
        "deployment_branch_policy": policy if found.is_limited else None,
    }


def environments(call: Call) -> Page:
    found = sorted(call.repo.environments.values(), key=lambda one: one.name)
    return Page(found, lambda one: shape(call, one), key="environments")


def get_environment(call: Call) -> Reply:
    return Reply(shape(call, environment_of(call)))


def branch_policies(call: Call) -> Page:
    return Page(environment_of(call).branches, _branch_policy, key="branch_policies")


def add_branch_policy(call: Call) -> Reply:
    found, name = environment_of(call), call.text("name", resource="DeploymentBranchPolicy")
    if not found.is_limited or found.for_protected:
        raise not_found()
    kept = f"{TAGS}{name}" if call.get("type", "branch") == "tag" else name
    if kept not in found.branches:
        found.branches.append(kept)
    return Reply(_branch_policy(kept))


def delete_branch_policy(call: Call) -> Reply:
    found, number = environment_of(call), call.number("policy")
    kept = [one for one in found.branches if _branch_policy(one)["id"] != number]
    if kept == found.branches:
        raise not_found()
    found.branches = kept
    return Reply(None, 204)


def _branch_rule(found: Environment) -> dict[str, Any]:
    name = f"{found.name} branches"
    return {"id": 700 + sum(map(ord, found.name)), "node_id": node("GateRule", name), "type": "branch_policy"}


def _branch_policy(kept: str) -> dict[str, Any]:
    kind, name = ("tag" if kept.startswith(TAGS) else "branch"), kept.removeprefix(TAGS)
    return {"id": 900 + sum(map(ord, kept)), "node_id": node("BranchPolicy", kept), "name": name, "type": kind}


@functools.cache
def _private_key() -> Any:
    """What secrets are sealed for on their way here; a new one each time the server starts."""
    from nacl.public import PrivateKey

    return PrivateKey.generate()


def public_key(call: Call) -> Reply:
    environment_of(call)
    return key_for_secrets(call)


def key_for_secrets(_: Call) -> Reply:
    return Reply({"key_id": "1", "key": base64.b64encode(bytes(_private_key().public_key)).decode()})


def unsealed(call: Call) -> str:
    """The secret in the body. Raises 422 when it was not sealed for this server."""
    from nacl.exceptions import CryptoError
    from nacl.public import SealedBox

    try:
        sealed = base64.b64decode(call.text("encrypted_value", resource="Secret"), validate=True)
        return SealedBox(_private_key()).decrypt(sealed).decode()
    except (ValueError, CryptoError):
        raise invalid("Secret", "encrypted_value") from None


def put_secret(call: Call) -> Reply:
    found, name, value = environment_of(call), call.params["secret"], unsealed(call)
    is_new = name not in found.secrets
    found.secrets[name] = value
    return Reply({} if is_new else None, 201 if is_new else 204)


def list_secrets(call: Call) -> Page:
    """Names and times; nobody reads a value."""
    found = environment_of(call)
    at = iso(found.created_at)
    names = sorted(found.secrets)
    return Page(names, lambda name: {"name": name, "created_at": at, "updated_at": at}, key="secrets")


def create_variable(call: Call) -> Reply:
    found, name = environment_of(call), call.text("name", resource="Variable")
    if name in found.variables:
        raise ApiError(409, "Already exists - Variable already exists")
    found.variables[name] = call.text("value", resource="Variable")
    return Reply({}, 201)


def list_variables(call: Call) -> Page:
    """Of an environment when the path names one, else the repository's."""
    found: Environment | Repository = environment_of(call) if "name" in call.params else call.repo
    at = iso(found.created_at)
    names = sorted(found.variables.items())
    return Page(
        names, lambda one: {"name": one[0], "value": one[1], "created_at": at, "updated_at": at}, key="variables"
    )


_admin = functools.partial(Route, needs=("never",), role="admin")

ROUTES = [
    _admin("GET", R + "/actions/permissions/workflow", workflow_permissions),
    _admin("PUT", R + "/actions/permissions/workflow", set_workflow_permissions),
    Route("GET", R + "/environments", environments, ("actions",)),
    Route("GET", E, get_environment, ("actions",)),
    _admin("PUT", E, put_environment),
    Route("GET", E + "/deployment-branch-policies", branch_policies, ("actions",)),
    _admin("POST", E + "/deployment-branch-policies", add_branch_policy),
    _admin("DELETE", E + "/deployment-branch-policies/{policy}", delete_branch_policy),
    _admin("GET", R + "/actions/variables", list_variables),
    _admin("GET", E + "/variables", list_variables),
    _admin("POST", E + "/variables", create_variable),
    _admin("GET", E + "/secrets", list_secrets),
    _admin("GET", E + "/secrets/public-key", public_key),
    _admin("PUT", E + "/secrets/{secret}", put_secret),
]
