"""A GitHub App of the team's own as the bot's identity: PyGithub signs with the app's key, GitHub lends a token.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.errors import UserError, WorldError
from bot.records.event import Account

# A variable and a secret of the GitHub environment `mlbot`, which only the default branch may use.
APP_ID, APP_KEY = "MLBOT_APP_ID", "MLBOT_APP_KEY"


@dataclass(frozen=True)
class Login:
    """A token that acts as `account`; an app's is good for an hour and for one repository."""

    token: str
    account: Account


def app_login(environ: Mapping[str, str], api_url: str, repository: str) -> Login | None:
    """A token of the app that the environment names, None when it names none. Three requests.

    Raises UserError when only half of it is set, the key is no key of that app, or the app is not installed here;
    WorldError when GitHub does not answer.
    """
    app_id, key = environ.get(APP_ID, "").strip(), environ.get(APP_KEY, "").strip()
    if not app_id and not key:
        return None
    if not app_id or not key:
        missing = APP_KEY if app_id else APP_ID
        hint = f"Set both in the GitHub environment `mlbot`, or neither: {APP_ID} a variable, {APP_KEY} a secret."
        raise UserError(f"{missing} is not set", hint=hint, code="app_incomplete")
    return _login(app_id, key, api_url, repository)


def _login(app_id: str, key: str, api_url: str, repository: str) -> Login:
    import github
    import jwt
    import requests

    try:
        app = github.GithubIntegration(
            auth=github.Auth.AppAuth(app_id, key), base_url=api_url, seconds_between_requests=None,
            seconds_between_writes=None,
        ).requester  # fmt: skip
        _, found = app.requestJsonAndCheck("GET", f"/repos/{repository}/installation")
        body = {"repositories": [repository.partition("/")[2]]}
        _, lent = app.requestJsonAndCheck("POST", f"/app/installations/{found['id']}/access_tokens", input=body)
        token, login = str(lent["token"]), f"{found['app_slug']}[bot]"
        client = github.Github(auth=github.Auth.Token(token), base_url=api_url).requester
        _, user = client.requestJsonAndCheck("GET", f"/users/{quote(login)}")
    except github.GithubException as error:
        raise _refused(error, app_id, repository) from None
    except requests.RequestException as error:
        raise WorldError(f"GitHub does not answer: {error}", hint="Run this again later.") from None
    except (jwt.exceptions.InvalidKeyError, ValueError, AssertionError):
        hint = "It must hold the whole text of the .pem file that GitHub gave, with its BEGIN and END lines."
        raise UserError(f"{APP_KEY} is not a private key", hint=hint, code="app_key_malformed") from None
    return Login(token, Account(id=int(user["id"]), login=login, kind="Bot"))


def _refused(error: Any, app_id: str, repository: str) -> UserError | WorldError:
    if error.status == 401:
        hint = f"{APP_ID} is the number on the app's page, and {APP_KEY} a key that was made there and not deleted."
        return UserError(f"GitHub does not take {APP_KEY} for the key of app {app_id}", hint=hint, code="app_refused")
    if error.status == 404:
        hint = "Install it: the app's page, Install App, this repository."
        return UserError(f"app {app_id} is not installed in {repository}", hint=hint, code="app_not_installed")
    if error.status == 403:
        hint = "The app's page lists its installations; somebody may have suspended this one."
        return UserError(f"GitHub refuses app {app_id}: {error.data}", hint=hint, code="app_refused")
    return WorldError(f"GitHub failed while app {app_id} logged in ({error.status})", hint="Run this again later.")
