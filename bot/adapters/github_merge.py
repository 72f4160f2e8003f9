"""A merge as the repository allows it: by a method of its settings and rules, or through its merge queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Protocol
from urllib.parse import quote

from bot.adapters.github_refusals import words
from bot.errors import UserError

Method = Literal["merge", "squash", "rebase"]
# https://docs.github.com/rest/repos/repos#get-a-repository; what a token may not see counts as allowed, and is tried
SETTINGS: dict[Method, str] = {
    "merge": "allow_merge_commit",
    "squash": "allow_squash_merge",
    "rebase": "allow_rebase_merge",
}
# https://docs.github.com/graphql/reference/objects#mergequeue; GitHub builds groups of at most 100 entries
QUEUE = """query($owner: String!, $name: String!, $branch: String!) {
  repository(owner: $owner, name: $name) { mergeQueue(branch: $branch) { entries(first: 100) { nodes {
    headCommit { oid } pullRequest { number }
  } } } }
}"""
QUEUED = "The workflow's own token starts no checks of a queue."


class Ask(Protocol):
    """One request of the REST API. Raises GithubException."""

    def __call__(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON."""


class GitHubMerge:
    """Merges pull requests of the repository at `url` (`/repos/owner/name`).

    `enqueue` puts the pull request with a node id into the merge queue at a head, and may not be called with the
    workflow's own token: no event of the group would follow, so its checks would never run (`may_enqueue` False).
    """

    def __init__(self, ask: Ask, url: str, enqueue: Callable[[str, str], None]) -> None:
        self._ask, self._url, self._enqueue = ask, url, enqueue

    def merge(self, number: int, base: str, head_sha: str, *, may_enqueue: bool) -> str | None:
        """The merge commit; None when the merge queue takes it. Raises UserError or GithubException when neither.

        Four requests at most for a merge by the first method that is allowed.
        """
        from github import GithubException

        settings, rules = self._known(self._url), self._known(f"{self._url}/rules/branches/{quote(base, safe='')}")
        rules = rules if isinstance(rules, list) else []
        if any(one.get("type") == "merge_queue" for one in rules):
            self._queue(number, head_sha, may_enqueue=may_enqueue)
            return None
        left = methods(settings if isinstance(settings, dict) else {}, rules)
        if not left:
            message = "GitHub refuses: the rules of this branch allow no merge method that the repository has"
            hint = "Settings, General, Pull Requests lists the methods; Settings, Rules what the branch allows."
            raise UserError(message, hint=hint, code="refused")
        for at, method in enumerate(left):
            try:
                body = {"sha": head_sha, "merge_method": method}
                return str(self._ask("PUT", f"{self._url}/pulls/{number}/merge", body)["sha"])
            except GithubException as error:
                said = words(error.data).lower()
                if error.status == 405 and "merge queue" in said:
                    self._queue(number, head_sha, may_enqueue=may_enqueue)
                    return None
                if error.status == 405 and is_about_method(said) and at + 1 < len(left):
                    continue
                done = self._merged(number, head_sha)
                if done is None:
                    raise
                return done
        raise AssertionError("unreachable")

    def _known(self, path: str) -> Any:
        """What this token may see, None when it may not."""
        from github import GithubException

        try:
            return self._ask("GET", path)
        except GithubException as error:
            if error.status not in (403, 404):
                raise
            return None

    def _merged(self, number: int, head_sha: str) -> str | None:
        """The merge commit when exactly this head is merged already: an earlier answer of GitHub's was lost."""
        found = self._ask("GET", f"{self._url}/pulls/{number}")
        is_done = found.get("merged") and found["head"]["sha"] == head_sha
        return str(found["merge_commit_sha"]) if is_done else None

    def _queue(self, number: int, head_sha: str, *, may_enqueue: bool) -> None:
        if not may_enqueue:
            message = f"GitHub refuses: Changes must be made through the merge queue. {QUEUED}"
            hint = "Press `Merge when ready` on the pull request's page; or give mlbot an app of the team's own."
            raise UserError(message, hint=hint, code="merge_queue")
        self._enqueue(self._ask("GET", f"{self._url}/pulls/{number}")["node_id"], head_sha)


def methods(settings: Mapping[str, Any], rules: Iterable[Mapping[str, Any]]) -> list[Method]:
    """Merge methods that settings and rules allow, in GitHub's order."""
    found = [method for method, key in SETTINGS.items() if settings.get(key) is not False]
    for rule in rules:
        allowed = (rule.get("parameters") or {}).get("allowed_merge_methods")
        if rule.get("type") == "pull_request" and allowed:
            found = [method for method in found if method in allowed]
        if rule.get("type") == "required_linear_history":
            found = [method for method in found if method != "merge"]
    return found


def is_about_method(said: str) -> bool:
    """Whether a refusal (in lower case) is about the method, so that another may do."""
    return any(word in said for word in ("merge commits are not allowed", "merges are not allowed", "merge method"))


def queued(query: Callable[[str, Mapping[str, Any]], Any], owner: str, name: str, branch: str, sha: str) -> list[int]:
    """Numbers from the front of a branch's queue to the entry whose group commit is `sha`; empty when none has it."""
    found = (query(QUEUE, {"owner": owner, "name": name, "branch": branch}).get("repository") or {}).get("mergeQueue")
    entries = found["entries"]["nodes"] if found else []
    commits = [(one.get("headCommit") or {}).get("oid") for one in entries]
    if sha not in commits:
        return []
    return [one["pullRequest"]["number"] for one in entries[: commits.index(sha) + 1] if one.get("pullRequest")]
