"""Secrets and variables of a repository: /repos/{owner}/{repo}/actions/secrets and /variables."""

from __future__ import annotations

import functools

from bot.sandbox.http import ApiError, Call, Page, Reply, Route, not_found
from bot.sandbox.routes import settings
from bot.sandbox.routes.issues import R
from bot.sandbox.shapes.basics import iso


def _shape(call: Call, name: str) -> dict[str, str]:
    at = iso(call.repo.created_at)
    return {"name": name, "created_at": at, "updated_at": at}


def list_secrets(call: Call) -> Page:
    """Names and times; nobody reads a value."""
    return Page(sorted(call.repo.secrets), lambda name: _shape(call, name), key="secrets")


def get_secret(call: Call) -> Reply:
    if call.params["secret"] not in call.repo.secrets:
        raise not_found()
    return Reply(_shape(call, call.params["secret"]))


def put_secret(call: Call) -> Reply:
    value, name = settings.unsealed(call), call.params["secret"]
    is_new = name not in call.repo.secrets
    call.repo.secrets[name] = value
    return Reply({} if is_new else None, 201 if is_new else 204)


def delete_secret(call: Call) -> Reply:
    if call.repo.secrets.pop(call.params["secret"], None) is None:
        raise not_found()
    return Reply(None, 204)


def get_variable(call: Call) -> Reply:
    if call.params["variable"] not in call.repo.variables:
        raise not_found()
    name = call.params["variable"]
    return Reply(_shape(call, name) | {"value": call.repo.variables[name]})


def create_variable(call: Call) -> Reply:
    name = call.text("name", resource="Variable")
    if name in call.repo.variables:
        raise ApiError(409, "Already exists - Variable already exists")
    call.repo.variables[name] = call.text("value", resource="Variable")
    return Reply({}, 201)


def edit_variable(call: Call) -> Reply:
    name = call.params["variable"]
    if name not in call.repo.variables:
        raise not_found()
    call.repo.variables[name] = call.text("value", resource="Variable")
    return Reply(None, 204)


def delete_variable(call: Call) -> Reply:
    if call.repo.variables.pop(call.params["variable"], None) is None:
        raise not_found()
    return Reply(None, 204)


_admin = functools.partial(Route, needs=("never",), role="admin")
SECRETS, VARIABLE = R + "/actions/secrets", R + "/actions/variables/{variable}"

ROUTES = [
    _admin("GET", SECRETS, list_secrets),
    _admin("GET", SECRETS + "/public-key", settings.key_for_secrets),
    _admin("GET", SECRETS + "/{secret}", get_secret),
    _admin("PUT", SECRETS + "/{secret}", put_secret),
    _admin("DELETE", SECRETS + "/{secret}", delete_secret),
    _admin("POST", R + "/actions/variables", create_variable),
    _admin("GET", VARIABLE, get_variable),
    _admin("PATCH", VARIABLE, edit_variable),
    _admin("DELETE", VARIABLE, delete_variable),
]
