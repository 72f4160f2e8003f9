"""Issues and pull requests that the bot opens, through GitHub's REST API and a pushed branch: port Tracker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.adapters.git import LocalGit
from bot.adapters.git_refusals import lost_race, push_error
from bot.adapters.github import GitHub, _clear
from bot.errors import UserError, WorldError
from bot.ports import Thread
from bot.words import Markdown, Plain

PAGE = 100
MOST_PAGES = 20


class GitHubTracker:
    """`git` pushes with the same token. The repository's default branch is `base_ref`."""

    def __init__(self, github: GitHub, git: LocalGit, base_ref: str) -> None:
        self._github, self._git, self._base_ref = github, git, base_ref
        self._url = github._url

    @_clear
    def own(self, since: datetime) -> list[Thread]:
        creator = quote(self._github.me().login)
        stamp = quote(since.strftime("%Y-%m-%dT%H:%M:%SZ"))
        found = {one["number"]: one for one in self._pages(f"state=open&creator={creator}")}
        # `since` is about the last update, which a closing is
        found |= {one["number"]: one for one in self._pages(f"state=closed&creator={creator}&since={stamp}")}
        mine = [one for one in found.values() if one["user"] and one["user"]["id"] == self._github.me().id]
        threads = [_thread(one) for one in mine if one["state"] == "open" or _time(one["closed_at"]) >= since]
        return sorted(threads, key=lambda one: one.number)

    def _pages(self, query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            part = self._github._ask("GET", f"{self._url}/issues?{query}&per_page={PAGE}&page={page}")
            found += part
            if len(part) < PAGE:
                return found
        raise WorldError(f"the bot has more than {PAGE * MOST_PAGES} issues", hint="Close old ones.", code="issue_cap")

    @_clear
    def open_issue(self, title: Plain, body: Markdown) -> Thread:
        from github import GithubException

        try:
            return _thread(self._github._ask("POST", f"{self._url}/issues", {"title": title, "body": body}))
        except GithubException as error:
            if error.status != 410:
                raise
            hint = "Settings, General, Features: switch Issues on; or take `issue` out of `on_alarm`."
            raise UserError("issues are switched off in this repository", hint=hint, code="issues_off") from None

    @_clear
    def open_pull_request(
        self, branch: str, base: str, files: Mapping[str, bytes | None], message: Plain, title: Plain, body: Markdown
    ) -> Thread:
        self._push(branch, self._committed(base, files, message))
        asked = {"title": title, "head": branch, "base": self._base_ref, "body": body, "maintainer_can_modify": False}
        made = self._github._ask("POST", f"{self._url}/pulls", asked)
        return _thread({**made, "pull_request": {}})

    def _committed(self, base: str, files: Mapping[str, bytes | None], message: Plain) -> str:
        """The bot's account is who GitHub attributes it to. The same files on the same base are the same commit."""
        import pygit2

        repository = self._git.repository
        parent = repository[base].peel(pygit2.Commit)
        index = pygit2.Index()
        index.read_tree(parent.tree)
        for path, data in files.items():
            if data is None:
                index.remove(path)
            else:
                index.add(pygit2.IndexEntry(path, repository.create_blob(data), pygit2.enums.FileMode.BLOB))
        me = self._github.me()
        who = pygit2.Signature(me.login, f"{me.id}+{me.login}@users.noreply.github.com", parent.commit_time, 0)
        return str(repository.create_commit(None, who, who, message, index.write_tree(repository), [parent.id]))

    def _push(self, branch: str, commit: str) -> None:
        done = self._git.run("push", "--quiet", "origin", f"{commit}:refs/heads/{branch}")
        if done.returncode:
            if lost_race(done.stderr):
                hint = f"Delete the branch {branch}, or merge what it holds."
                raise UserError(
                    f"the branch {branch} is there and holds something else", hint=hint, code="branch_taken"
                )
            raise push_error(f"branch {branch}", done.stderr)

    @_clear
    def edit(self, number: int, title: Plain, body: Markdown) -> None:
        there = self._github._ask("GET", f"{self._url}/issues/{number}")
        if (there["title"], _plain(there["body"])) != (title, _plain(body)):
            self._github._ask("PATCH", f"{self._url}/issues/{number}", {"title": title, "body": body})

    @_clear
    def close(self, number: int, comment: Markdown) -> None:
        there = self._github._ask("GET", f"{self._url}/issues/{number}")
        if there["state"] == "closed":
            return
        self._github._ask("POST", f"{self._url}/issues/{number}/comments", {"body": comment})
        reason = {} if "pull_request" in there else {"state_reason": "completed"}
        self._github._ask("PATCH", f"{self._url}/issues/{number}", {"state": "closed", **reason})


def _thread(one: Mapping[str, Any]) -> Thread:
    pull = one.get("pull_request")
    return Thread(
        number=one["number"],
        title=one["title"],
        body=_plain(one["body"]),
        state="open" if one["state"] == "open" else "closed",
        created_at=_time(one["created_at"]),
        is_pull_request=pull is not None,
        is_merged=bool((pull or {}).get("merged_at")),
        closed_at=_time(one["closed_at"]) if one["closed_at"] else None,
    )


def _plain(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
