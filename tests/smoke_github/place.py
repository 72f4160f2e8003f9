"""A repository of GitHub's as the checks see it: REST through PyGithub, and git."""

from __future__ import annotations

import functools
import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.adapters.git import credentials

PULLS_LOOKED_AT = 30


class NotCheckable(Exception):
    """This repository holds nothing that shows it, or the token may not see it."""


class Different(Exception):
    """GitHub does it otherwise."""


def expect(is_so: bool, seen: object) -> None:
    """Raises Different with what was seen."""
    if not is_so:
        raise Different(str(seen)[:300])


def given(found: Any, what: str) -> Any:
    """What was found. Raises NotCheckable when it is nothing."""
    if not found:
        raise NotCheckable(f"no {what} here")
    return found


class Place:
    """`repository` is owner/name, `api_url` as GITHUB_API_URL; `number` an issue or pull request to speak in."""

    def __init__(self, api_url: str, repository: str, token: str, number: int | None = None) -> None:
        import github

        self._requester = github.Github(base_url=api_url, auth=github.Auth.Token(token), retry=None).requester
        self._token, self.number = token, number
        self.url = f"/repos/{repository}"
        self.owner = repository.partition("/")[0]
        self.word = f"mlbot-smoke-{secrets.token_hex(6)}"  # nobody's login, repository, team or branch

    def ask(
        self, path: str, verb: str = "GET", body: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers by lower-case name, and the decoded answer; a refusal is an answer, too."""
        status, headers, text = self._requester.requestJson(verb, path, input=body)
        try:
            answer = json.loads(text) if text else None
        except ValueError:
            answer = None
        return status, {name.lower(): value for name, value in headers.items()}, answer

    def get(self, path: str) -> Any:
        """The answer. Raises NotCheckable when it is refused."""
        status, _, answer = self.ask(path)
        if answer is None or status >= 400:
            raise NotCheckable(f"GET {path}: {status}")
        return answer

    @functools.cached_property
    def repository(self) -> Any:
        """The repository itself."""
        return self.get(self.url)

    @functools.cached_property
    def pulls(self) -> list[Any]:
        """The newest pull requests, of any state."""
        listed = self.get(f"{self.url}/pulls?state=all&per_page={PULLS_LOOKED_AT}")
        return [self.get(f"{self.url}/pulls/{one['number']}") for one in listed[:10]]

    @functools.cached_property
    def comments(self) -> list[Any]:
        """Of the pull request that has the most."""
        lists = [self.get(f"{self.url}/issues/{one['number']}/comments?per_page=100") for one in self.pulls]
        return max(lists, key=len, default=[])

    @functools.cached_property
    def head(self) -> str:
        """The commit of the default branch."""
        found = self.get(f"{self.url}/git/ref/heads/{self.repository['default_branch']}")
        return str(found["object"]["sha"])

    @functools.cached_property
    def _clone(self) -> tempfile.TemporaryDirectory[str]:
        folder = tempfile.TemporaryDirectory(prefix="mlbot-smoke-")
        subprocess.run(["git", "init", "-q", folder.name], check=True)
        return folder

    def git(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """git in an empty repository that knows the remote `origin` by its address only; never raises."""
        address = self.repository["clone_url"]
        server = "/".join(address.split("/")[:3])
        known = {**os.environ, **credentials(server, self._token), "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **environ}
        line = ["git", "-C", self._clone.name, *(address if word == "origin" else word for word in words)]
        return subprocess.run(line, env=known, capture_output=True, text=True, check=False)

    def close(self) -> None:
        """Remove what was made on this machine."""
        if "_clone" in self.__dict__:
            self._clone.cleanup()

    @property
    def clone(self) -> Path:
        """The folder that `git` works in."""
        return Path(self._clone.name)
