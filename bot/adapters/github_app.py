"""A GitHub App of the team's own as the bot's identity: PyGithub signs with the app's key, GitHub lends a token.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.errors import UserError, WorldError
from bot.records.event import Account

# Variables and a secret of the GitHub environment `mlbot`, which only the default branch may use.
APP_ID, APP_KEY, APP_INSTALLATION = "MLBOT_APP_ID", "MLBOT_APP_KEY", "MLBOT_APP_INSTALLATION"


@dataclass(frozen=True)
class Login:
    """A token that is good for an hour and for one repository, and whom it acts as.

    `account` asks GitHub when it is first called, which few jobs need: what the app wrote carries `app_id`. None is an
    app that is named by its client id.
    """

    token: str
    account: Callable[[], Account]
    app_id: int | None


def app_login(environ: Mapping[str, str], api_url: str, repository: str) -> Login | None:
    """A token of the app that the environment names, None when it names none. One request, two without installation.

    Raises UserError when only half of it is set, the key is no key of that app, or the app is not installed here;
    WorldError when GitHub does not answer.
    """
    app_id, key, installation = (environ.get(name, "").strip() for name in (APP_ID, APP_KEY, APP_INSTALLATION))
    if not app_id and not key:
        return None
    if not app_id or not key:
        missing = APP_KEY if app_id else APP_ID
        hint = f"Set both in the GitHub environment `mlbot`, or neither: {APP_ID} a variable, {APP_KEY} a secret."
        raise UserError(f"{missing} is not set", hint=hint, code="app_incomplete")
    if installation and not installation.isdecimal():
        hint = "It is the number at the end of the address of the app's installation page; without it it is looked up."
        raise UserError(f"{APP_INSTALLATION} is not a number", hint=hint, code="app_incomplete")
    return _App(app_id, key, api_url, repository).login(installation)


class _App:
    """What is asked with the app's own key, and not with the token that it lends."""

    def __init__(self, app_id: str, key: str, api_url: str, repository: str) -> None:
        self._app_id, self._key, self._api_url, self._repository = app_id, key, api_url, repository

    def login(self, installation: str) -> Login:
        number = installation or str(self._ask("GET", f"/repos/{self._repository}/installation")["id"])
        body = {"repositories": [self._repository.partition("/")[2]]}
        lent = self._ask("POST", f"/app/installations/{number}/access_tokens", body)
        account = functools.cache(functools.partial(self._account, str(lent["token"])))
        return Login(str(lent["token"]), account, int(self._app_id) if self._app_id.isdecimal() else None)

    def _account(self, token: str) -> Account:
        import github

        login = f"{self._ask('GET', '/app')['slug']}[bot]"
        user = self._ask("GET", f"/users/{quote(login)}", auth=github.Auth.Token(token))
        return Account(id=int(user["id"]), login=login, kind="Bot")

    def _ask(self, verb: str, path: str, body: Mapping[str, Any] | None = None, auth: Any = None) -> Any:
        import github
        import jwt
        import requests

        try:
            requester = github.GithubIntegration(
                auth=github.Auth.AppAuth(self._app_id, self._key), base_url=self._api_url,
                seconds_between_requests=None, seconds_between_writes=None,
            ).requester  # fmt: skip
            _, said = (requester.withAuth(auth) if auth else requester).requestJsonAndCheck(verb, path, input=body)
        except github.GithubException as error:
            raise _refused(error, self._app_id, self._repository) from None
        except requests.RequestException as error:
            raise WorldError(f"GitHub does not answer: {error}", hint="Run this again later.") from None
        except (jwt.exceptions.InvalidKeyError, ValueError, AssertionError):
            hint = "It must hold the whole text of the .pem file that GitHub gave, with its BEGIN and END lines."
            raise UserError(f"{APP_KEY} is not a private key", hint=hint, code="app_key_malformed") from None
        return said


def _refused(error: Any, app_id: str, repository: str) -> UserError | WorldError:
    if error.status == 401:
        hint = f"{APP_ID} is the number on the app's page, and {APP_KEY} a key that was made there and not deleted."
        return UserError(f"GitHub does not take {APP_KEY} for the key of app {app_id}", hint=hint, code="app_refused")
    if error.status == 404:
        hint = f"Install it: the app's page, Install App, this repository. Is {APP_INSTALLATION} set, is it its number?"
        return UserError(f"app {app_id} is not installed in {repository}", hint=hint, code="app_not_installed")
    if error.status == 403:
        hint = "The app's page lists its installations; somebody may have suspended this one."
        return UserError(f"GitHub refuses app {app_id}: {error.data}", hint=hint, code="app_refused")
    return WorldError(f"GitHub failed while app {app_id} logged in ({error.status})", hint="Run this again later.")
