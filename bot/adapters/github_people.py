"""Who people are to a repository and an organization: part of port PullRequests, over the client of `github.py`.

The account id decides. A login can be renamed, deleted and taken by somebody else, and most of GitHub's paths want one:
what is asked by login is believed only with the id that comes back, or when GitHub said just now whose login it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from bot.records.event import Account

PAGE = 100  # the most that GitHub lists at once
NOBODY = "none"


class GitHubPeople:
    """`ask(verb, path)` gives parsed JSON or raises PyGithub's exception; `url` is the repository's path."""

    def __init__(self, ask: Callable[[str, str], Any], url: str) -> None:
        self._ask, self._url = ask, url
        self._roles: dict[int, str] = {}
        self._teams: dict[str, frozenset[int] | None] = {}
        self._logins: dict[int, str | None] = {}
        self._members: dict[tuple[str, int], bool] = {}

    def account(self, login: str) -> Account | None:
        found = self._found(f"/users/{quote(login)}")
        if found is None:
            return None
        kind = found["type"] if found["type"] in ("User", "Organization") else "Bot"
        return Account(id=found["id"], login=found["login"], kind=kind)

    def permissions(self, accounts: Sequence[Account]) -> dict[int, str]:
        unknown = [one for one in accounts if one.id not in self._roles]
        if len(unknown) > 1:
            self._roles = self._collaborators() | self._roles
        for one in accounts:
            if one.id not in self._roles:  # a stranger, or beyond the first hundred
                self._roles[one.id] = self._role(one)
        return {one.id: self._roles[one.id] for one in accounts}

    def in_team(self, team: str, account: Account) -> bool | None:
        if team not in self._teams:
            self._teams[team] = self._team(team)
        listed = self._teams[team]
        if listed is None or account.id in listed:
            return None if listed is None else True
        return False if len(listed) < PAGE else self._is_member(team, account)

    def _collaborators(self) -> dict[int, str]:
        """The first hundred; nobody for a token that may not list them, which then asks for each person."""
        found = self._found(f"{self._url}/collaborators?per_page={PAGE}", also=(403,))
        return {one["id"]: one["role_name"] for one in found or ()}

    def _role(self, account: Account) -> str:
        """By the login that is known, and where that is somebody else's or nobody's by now, by the present one."""
        found = self._answer(account.login)
        if found is not None and found[0] == account.id:
            return found[1]
        login = self._login(account.id)
        found = self._answer(login) if login is not None else None
        return found[1] if found is not None and found[0] == account.id else NOBODY

    def _answer(self, login: str) -> tuple[int, str] | None:
        """(account id, role); None for a login that nobody has."""
        found = self._found(f"{self._url}/collaborators/{quote(login)}/permission")
        user = (found or {}).get("user")
        return (user["id"], found["role_name"]) if user else None

    def _login(self, number: int) -> str | None:
        """What an account is called now; None when it is gone. https://docs.github.com/rest/users/users"""
        if number not in self._logins:
            found = self._found(f"/user/{number}")
            self._logins[number] = found["login"] if found else None
        return self._logins[number]

    def _team(self, team: str) -> frozenset[int] | None:
        """Active members of a team and of those below it, the first hundred; None for a token that may not look."""
        found = self._found(f"{_path(team)}/members?per_page={PAGE}", also=(403,))
        return None if found is None else frozenset(one["id"] for one in found)

    def _is_member(self, team: str, account: Account) -> bool:
        """The answer names no account, so it is asked for the present login of this one."""
        key = (team, account.id)
        if key not in self._members:
            login = self._login(account.id)
            found = self._found(f"{_path(team)}/memberships/{quote(login)}") if login is not None else None
            self._members[key] = found is not None and found["state"] == "active"
        return self._members[key]

    def _found(self, path: str, *, also: tuple[int, ...] = ()) -> Any:
        """The answer; None when GitHub has no such thing (or answers with one of `also`)."""
        from github import GithubException

        try:
            return self._ask("GET", path)
        except GithubException as error:
            if error.status not in (404, *also):
                raise
            return None


def _path(team: str) -> str:
    organization, _, slug = team.partition("/")
    return f"/orgs/{quote(organization)}/teams/{quote(slug)}"
