"""Port Witness from GitHub's REST API: who pushed, who committed to a path, and who reported which check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bot.adapters.github_commits import commit_of
from bot.ports import Commit
from bot.records.facts import Check

ACTIONS = 15368  # https://api.github.com/apps/github-actions
MAX_PAGES = 10  # GitHub itself cuts several of these lists off at 1,000
MAX_JOBS = 50
NOT_TOLD = (403, 404, 409, 422)

Ask = Callable[[str, str], Any]


class GitHubWitness:
    """`ask(verb, path)` gives the decoded answer and raises GithubException; `url` is `/repos/{owner}/{repo}`."""

    def __init__(self, ask: Ask, url: str, default_branch: str) -> None:
        self._ask, self._url, self._default_branch = ask, url, default_branch

    def pushers(self, repository: str, branch: str, sha: str) -> list[int] | None:
        # https://docs.github.com/rest/repos/repos#list-repository-activities : newest first
        where = f"/repos/{quote(repository)}/activity?ref={quote(f'refs/heads/{branch}', safe='')}&per_page=100"
        moves = [one for one in self._told(where) or () if one["after"] == sha]
        is_whole = moves and all(one["actor"] for one in moves)
        return [int(one["actor"]["id"]) for one in moves] if is_whole else None

    def checks(self, sha: str, names: Sequence[str]) -> list[Check] | None:
        found: list[Check] = []
        at = f"{self._url}/commits/{quote(sha)}"
        for name in names:
            runs = self._pages(f"{at}/check-runs?check_name={quote(name, safe='')}&filter=all", "check_runs")
            newest = _newest_runs(one for one in runs or () if one["name"] == name)
            if runs is None or len(newest) > MAX_JOBS:
                return None
            found += _newest_of_each_source([self._check(one) for one in newest])
        statuses = self._pages(f"{at}/statuses")
        return None if statuses is None else [*found, *_statuses(statuses, names)]

    def history(self, path: str, since: datetime) -> list[Commit] | None:
        after = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        where = f"sha={quote(self._default_branch, safe='')}&path={quote(path, safe='')}&since={after}"
        found = self._pages(f"{self._url}/commits?{where}")
        return None if found is None else [commit_of(one) for one in found]

    def _told(self, path: str) -> Any:
        """The answer; None when GitHub says no, which may mean that the token may not look."""
        import requests
        from github import GithubException

        from bot.adapters.github_refusals import error_of
        from bot.errors import WorldError

        try:
            return self._ask("GET", path)
        except GithubException as error:
            if error.status in NOT_TOLD:
                return None
            raise error_of(error) from None
        except requests.RequestException as error:
            raise WorldError(f"GitHub does not answer: {error}", hint="Run this again later.") from None

    def _pages(self, path: str, key: str | None = None) -> list[Any] | None:
        """All pages; None when GitHub refuses, or when there is more than it lists."""
        found: list[Any] = []
        sign = "&" if "?" in path else "?"
        for page in range(1, MAX_PAGES + 1):
            answer = self._told(f"{path}{sign}per_page=100&page={page}")
            if answer is None:
                return None
            items = answer[key] if key else answer
            found += items
            if len(items) < 100:
                return found if key is None or len(found) >= answer["total_count"] else None
        return None

    def _check(self, run: Any) -> Check:
        app = run["app"]["id"] if run["app"] else None
        workflow, ref, event = self._source(run["id"]) if app == ACTIONS else (None, None, None)
        conclusion = run["conclusion"] if run["status"] == "completed" else None
        return Check(name=run["name"], app_id=app, workflow=workflow, ref=ref, event=event, conclusion=conclusion)

    def _source(self, check_run: int) -> tuple[str | None, str | None, str | None]:
        """The workflow file behind a check run of GitHub Actions, where the file came from, and the event.

        A job's id is that of its check run. A check run that some workflow made through the API, with whatever name,
        is no job.
        """
        job = self._told(f"{self._url}/actions/jobs/{check_run}")
        if job is None or not str(job["check_run_url"]).endswith(f"/check-runs/{check_run}"):
            return None, None, None
        run = self._told(f"{self._url}/actions/runs/{job['run_id']}")
        if run is None:
            return None, None, None
        return run["path"].partition("@")[0], self._ref(run["event"], run["head_branch"]), run["event"]

    def _ref(self, event: str, branch: str | None) -> str | None:
        """Where the workflow file came from.

        A pull request brings its own, except to `pull_request_target`. For other events GitHub gives a bare name, which
        a tag may have too: what calls itself the default branch on a commit that is not in it is such a tag.
        """
        if event == "pull_request_target":
            return f"refs/heads/{self._default_branch}"
        if event.startswith("pull_request") or branch in (None, self._default_branch):
            return None
        return f"refs/heads/{branch}"


def _newest_runs(runs: Iterable[Any]) -> list[Any]:
    """One check run an app and suite: a job that was run again has the higher id."""
    found: dict[tuple[Any, Any], Any] = {}
    for run in sorted(runs, key=lambda one: one["id"]):
        found[((run["app"] or {}).get("id"), (run["check_suite"] or {}).get("id"))] = run
    return sorted(found.values(), key=lambda one: int(one["id"]))


def _newest_of_each_source(checks: Iterable[Check]) -> list[Check]:
    """A workflow that was started again by the same event replaces what it said before."""
    found: dict[Any, Check] = {}
    for index, check in enumerate(checks):
        source = (check.app_id, check.workflow, check.ref, check.event)
        found[source if None not in source[:2] else index] = check
    return list(found.values())


def _statuses(statuses: Iterable[Any], names: Sequence[str]) -> list[Check]:
    """The newest of each context and account; GitHub lists the newest first."""
    found: dict[tuple[str, int | None], Check] = {}
    for one in statuses:
        who = one["creator"]["id"] if one["creator"] else None
        if one["context"] in names and (one["context"], who) not in found:
            conclusion = None if one["state"] == "pending" else one["state"]
            found[(one["context"], who)] = Check(
                name=one["context"], app_id=None, workflow=None, ref=None, event=None,
                conclusion=conclusion, reporter_id=who,
            )  # fmt: skip
    return list(found.values())
