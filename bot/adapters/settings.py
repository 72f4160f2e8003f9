"""A repository's settings on GitHub, read with PyGithub for `mlbot doctor`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import UserError, WorldError

BRANCHES = ("mlbot/ledger", "mlbot/environments")
ENVIRONMENT = "mlbot"
SECRET = "MLBOT_SIGNING_KEY"  # noqa: S105, the name of one


@dataclass(frozen=True)
class Settings:
    """GitHub's answers by what was asked; None where GitHub did not say (no permission, or not there: 404)."""

    repository: str
    default_branch: str
    workflow_permissions: Mapping[str, Any] | None
    rules: Mapping[str, Iterable[Mapping[str, Any]] | None]  # by branch
    environment: Mapping[str, Any] | None
    environment_branches: tuple[str, ...] | None
    secrets: tuple[str, ...] | None  # names, of the environment
    variables: Mapping[str, str] | None  # of the repository, and over them those of the environment


def read_settings(api_url: str, repository: str, token: str) -> Settings:
    """Ask GitHub, nine requests. Raises UserError when the repository is not there or the token is refused."""
    asked = _Asked(api_url, repository, token)
    about = asked.get("")
    if about is None:
        hint = "Check GITHUB_REPOSITORY, and that the token may read it."
        raise UserError(f"GitHub does not have {repository} for this token", hint=hint, code="not_found")
    default = about["default_branch"]
    environment = asked.get(f"/environments/{ENVIRONMENT}")
    branches = asked.get(f"/environments/{ENVIRONMENT}/deployment-branch-policies") if environment else None
    secrets = asked.get(f"/environments/{ENVIRONMENT}/secrets") if environment else None
    return Settings(
        repository=repository,
        default_branch=default,
        workflow_permissions=asked.get("/actions/permissions/workflow"),
        rules={branch: asked.get(f"/rules/branches/{branch}") for branch in (default, *BRANCHES)},
        environment=environment,
        environment_branches=_names(branches, "branch_policies"),
        secrets=_names(secrets, "secrets"),
        variables=_variables(asked, environment),
    )


def _variables(asked: _Asked, environment: Any) -> dict[str, str] | None:
    paths = ["/actions/variables", *([f"/environments/{ENVIRONMENT}/variables"] if environment else [])]
    found = [asked.get(f"{path}?per_page=30") for path in paths]
    if None in found:
        return None
    return {one["name"]: one["value"] for answer in found for one in answer["variables"]}


def _names(answer: Any, key: str) -> tuple[str, ...] | None:
    return None if answer is None else tuple(sorted(one["name"] for one in answer[key]))


class _Asked:
    """GET below a repository; None for what GitHub does not show."""

    def __init__(self, api_url: str, repository: str, token: str) -> None:
        import github

        auth = github.Auth.Token(token)
        self._requester = github.Github(base_url=api_url, auth=auth, seconds_between_requests=None).requester
        self._start = f"/repos/{repository}"

    def get(self, path: str) -> Any:
        import requests
        from github import GithubException

        try:
            return self._requester.requestJsonAndCheck("GET", self._start + path)[1]
        except GithubException as error:
            if error.status in (403, 404):
                return None
            if error.status == 401:
                hint = "Set GITHUB_TOKEN to a fresh one."
                raise UserError("GitHub refuses the token (401)", hint=hint, code="token_refused") from None
            raise WorldError(f"GitHub failed ({error.status})", hint="Run this again later.") from None
        except requests.RequestException as error:
            raise WorldError(f"GitHub does not answer: {error}", hint="Run this again later.") from None
