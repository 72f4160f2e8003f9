"""GitHub through PyGithub, its only client here: ports PullRequests and Conversation of one repository."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar
from urllib.parse import quote, urlencode

from bot.adapters import github_merge, github_recent
from bot.adapters.github_commits import commit_of, listed, with_known
from bot.adapters.github_merge import GitHubMerge
from bot.adapters.github_people import GitHubPeople
from bot.adapters.github_pull import GHOST, Snapshot, snapshot
from bot.adapters.github_refusals import error_of
from bot.adapters.github_witness import GitHubWitness
from bot.errors import UserError, WorldError
from bot.ports import Comment, Commit, Merge, PullRequest, Review, Said, TimelineEvent, TrainingRun
from bot.records.event import Account
from bot.words import Markdown, Plain

if TYPE_CHECKING:
    import github.NamedUser

P = ParamSpec("P")
T = TypeVar("T")

COMMIT_CAP = 250  # https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request
ACTIONS = Account(id=41898282, login="github-actions[bot]", kind="Bot")  # who GITHUB_TOKEN acts as
RETRIES, MAX_WAIT_S = 4, 60.0
TRAINING = "pull-request.yml"


def _clear(call: Callable[P, T]) -> Callable[P, T]:
    """GitHub's refusals as errors for people."""

    @functools.wraps(call)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        import requests
        from github import GithubException

        try:
            return call(*args, **kwargs)
        except GithubException as error:
            raise error_of(error) from None
        except requests.RequestException as error:
            raise WorldError(f"GitHub does not answer: {error}", hint="Run this again later.") from None

    return wrapped


def _once(call: Callable[P, T]) -> Callable[P, T]:
    """The first answer of a method for the same arguments, for the life of the adapter."""

    @functools.wraps(call)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        known: dict[tuple[str, str], Any] = args[0]._read  # type: ignore[attr-defined]
        key = (call.__name__, repr(args[1:]))
        if key not in known:
            known[key] = call(*args, **kwargs)
        found: T = known[key]
        return found

    return wrapped


class GitHub:
    """One repository (`owner/name`) at `api_url`. `account` is who the token acts as, or how to find out; None asks.

    `app_id` is of the GitHub App that the token is of, None for any other token and where it is not known.
    What a job has read it does not read again: one process judges one snapshot, and what it writes is guarded by the
    SHA that it judged.
    """

    def __init__(
        self,
        *,
        api_url: str,
        repository: str,
        token: str,
        account: Account | Callable[[], Account] | None = ACTIONS,
        app_id: int | None = None,
        default_branch: str = "main",
    ) -> None:
        import github

        from bot.adapters.github_retry import CarefulRetry

        retry = CarefulRetry(
            total=RETRIES,
            secondary_rate_wait=MAX_WAIT_S / 4,
            max_rate_limit_wait=MAX_WAIT_S,
            retry_after_max=int(MAX_WAIT_S),
            allowed_methods=("GET", "POST", "PATCH", "PUT", "DELETE"),
        )
        # No pauses between requests: a handler makes a dozen, and waits when GitHub asks for it.
        self._client = github.Github(
            base_url=api_url,
            auth=github.Auth.Token(token),
            per_page=100,
            retry=retry,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
        )
        self._repository = self._client.get_repo(repository)
        self._url = f"/repos/{repository}"
        self._account, self._app_id = account, app_id
        self._default_branch = default_branch
        self._comments: dict[int, list[Comment]] = {}
        self._read: dict[tuple[str, str], Any] = {}
        self._people = GitHubPeople(self._ask, self._url)

    def _ask(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        _, data = self._client.requester.requestJsonAndCheck(verb, path, input=body)
        return data

    def _query(self, query: str, variables: Mapping[str, Any]) -> Any:
        """`data` of a GraphQL query. Half an answer, with what went wrong beside it, is an error like none at all."""
        return self._client.requester.graphql_query(query, dict(variables))[1]["data"]

    def witness(self) -> GitHubWitness:
        """The same repository as port Witness."""
        return GitHubWitness(self._ask, self._url, self._default_branch)

    # --- PullRequests

    @_clear
    def get(self, number: int) -> PullRequest:
        return self._seen(number).pull_request

    @_once
    def _seen(self, number: int) -> Snapshot:
        owner, _, name = self._url.removeprefix("/repos/").partition("/")
        found = snapshot(self._query, owner, name, number)
        if found is None:
            hint = "Check GITHUB_REPOSITORY and the number, and that the token may read it."
            raise UserError(f"there is no pull request #{number}", hint=hint, code="not_found")
        return found

    @_clear
    def open_numbers(self) -> list[int]:
        return [found.number for found in self._repository.get_pulls(state="open")]

    @_clear
    def merged(self, since: datetime) -> list[Merge]:
        return github_recent.merges(self._ask, self._url, self._default_branch, since)

    @_clear
    def for_commit(self, sha: str) -> list[int]:
        return [found["number"] for found in self._ask("GET", f"{self._url}/commits/{quote(sha)}/pulls?per_page=100")]

    @_clear
    def queued(self, base_ref: str, sha: str) -> list[int]:
        owner, _, name = self._url.removeprefix("/repos/").partition("/")
        return github_merge.queued(self._query, owner, name, base_ref, sha)

    @_once
    @_clear
    def commits(self, number: int) -> list[Commit]:
        found = [commit_of(one) for one in listed(self._ask, f"{self._url}/pulls/{number}/commits")]
        if len(found) >= COMMIT_CAP:
            raise WorldError(
                f"pull request #{number} has {COMMIT_CAP} commits or more, and GitHub lists no more",
                hint="Squash the commits, so that each author can be seen.",
                code="commit_cap",
            )
        return with_known(self._query, self._url.removeprefix("/repos/"), number, found)

    @_clear
    def comments(self, number: int) -> list[Comment]:
        if number not in self._comments:
            self._comments[number] = list(self._seen(number).comments)
        return self._comments[number]

    @_clear
    def said(self, since: datetime) -> list[Said]:
        return github_recent.comments(self._ask, self._url, since, self._as_comment, self._is_own)

    def _as_comment(self, data: Any) -> Comment:
        import github.IssueComment

        return _comment(self._client.create_from_raw_data(github.IssueComment.IssueComment, data))

    @_clear
    def reviews(self, number: int) -> list[Review]:
        return list(self._seen(number).reviews)

    @_clear
    def timeline(self, number: int) -> list[TimelineEvent]:
        return list(self._seen(number).timeline)

    @_clear
    def account(self, login: str) -> Account | None:
        return self._people.account(login)

    @_clear
    def permissions(self, accounts: Sequence[Account]) -> dict[int, str]:
        return self._people.permissions(accounts)

    @_clear
    def in_team(self, team: str, account: Account) -> bool | None:
        return self._people.in_team(team, account)

    # --- Conversation

    @_clear
    def me(self) -> Account:
        if self._account is None:
            self._account = _account(self._client.get_user())
        elif not isinstance(self._account, Account):
            self._account = self._account()
        return self._account

    @_clear
    def own(self, number: int, marker: str) -> list[Comment]:
        return [one for one in self.comments(number) if one.body.startswith(marker) and self._is_own(one)]

    def _is_own(self, comment: Comment) -> bool:
        # An app also writes for people who signed in to it, under their names.
        if comment.is_own and comment.author.kind == "Bot":
            return True
        if self._app_id is None or comment.app_id is None:
            return comment.author.id == self.me().id
        return comment.author.kind == "Bot" and comment.app_id == self._app_id

    @_clear
    def upsert_comment(self, number: int, marker: str, body: Markdown) -> str:
        mine = self.own(number, marker) or self._posted(number, marker, body)
        where = f"{self._url}/issues/comments/{mine[0].id}"
        known = {one.id: one for one in self.comments(number)}
        if mine[0].body != body:
            written = self._ask("PATCH", where, {"body": body})
            now = self._as_comment(written)
            known[now.id] = now
        for extra in mine[1:]:  # of an earlier version of this program, or of two runs at once
            self._ask("DELETE", f"{self._url}/issues/comments/{extra.id}")
            del known[extra.id]
        self._comments[number] = sorted(known.values(), key=lambda one: one.id)
        return where

    def _posted(self, number: int, marker: str, body: Markdown) -> list[Comment]:
        """The bot's comment with the marker, made now; before it is posted a second time, it is looked for."""

        def post() -> list[Comment]:
            made = self._ask("POST", f"{self._url}/issues/{number}/comments", {"body": body})
            now = self._as_comment(made)
            self._comments[number] = [*self.comments(number), now]
            return [now]

        def look() -> list[Comment]:
            self._read.pop(("_seen", repr((number,))), None)
            self._comments.pop(number, None)
            return self.own(number, marker)

        from bot.adapters.github_retry import made_once

        return made_once(post, look)

    @_clear
    def reply(self, number: int, body: Markdown) -> None:
        self._ask("POST", f"{self._url}/issues/{number}/comments", {"body": body})

    @_clear
    def react(self, comment_id: int, content: Literal["eyes", "rocket", "confused", "+1", "-1"]) -> None:
        self._ask("POST", f"{self._url}/issues/comments/{comment_id}/reactions", {"content": content})

    @_clear
    def statuses(self, sha: str) -> dict[str, tuple[str, str]]:
        found = self._ask("GET", f"{self._url}/commits/{quote(sha)}/status?per_page=100")
        return {one["context"]: (one["state"], one["description"] or "") for one in found["statuses"]}

    @_clear
    def set_status(self, sha: str, context: str, state: str, description: Plain, url: str | None) -> None:
        body = {"context": context, "state": state, "description": description[:140]}
        self._ask("POST", f"{self._url}/statuses/{quote(sha)}", body | ({"target_url": url} if url else {}))

    @_clear
    def deployment(
        self, sha: str, environment: str, payload: Mapping[str, Any], state: str, description: Plain
    ) -> None:
        def post() -> list[dict[str, Any]]:
            body = {
                "ref": sha,
                "environment": environment,
                "payload": dict(payload),
                "description": description[:140],
                "auto_merge": False,
                "required_contexts": [],
            }
            return [self._ask("POST", f"{self._url}/deployments", body)]

        def look() -> list[dict[str, Any]]:
            self._read.pop(("_deployments", repr((sha,))), None)
            return _of(self._deployments(sha), environment, payload)

        same = _of(self._deployments(sha), environment, payload)
        if not same:
            from bot.adapters.github_retry import made_once

            same = made_once(post, look)
            known = self._deployments(sha)
            known += [one for one in same if one not in known]
        elif self._deployment_state(same[0]["id"]) == state:
            return
        status = {"state": state, "description": description[:140], "auto_inactive": False}
        self._ask("POST", f"{self._url}/deployments/{same[0]['id']}/statuses", status)

    def _deployment_state(self, deployment: int) -> str | None:
        found = self._ask("GET", f"{self._url}/deployments/{deployment}/statuses?per_page=1")
        return str(found[0]["state"]) if found else None

    @_once
    def _deployments(self, sha: str) -> list[dict[str, Any]]:
        """The newest hundred of a commit, and what this job made."""
        found: list[dict[str, Any]] = self._ask("GET", f"{self._url}/deployments?sha={quote(sha)}&per_page=100")
        return found

    @_clear
    def dispatch(self, workflow: str, inputs: Mapping[str, str]) -> None:
        body = {"ref": self._default_branch, "inputs": dict(inputs)}
        self._ask("POST", f"{self._url}/actions/workflows/{quote(workflow)}/dispatches", body)

    @_clear
    def merge(self, number: int, head_sha: str) -> str | None:
        port = GitHubMerge(self._ask, self._url, self._enqueue)
        return port.merge(number, self.get(number).base_ref, head_sha, may_enqueue=self.me().id != ACTIONS.id)

    def _enqueue(self, node_id: str, head_sha: str) -> None:
        given = {"pullRequestId": node_id, "expectedHeadOid": head_sha}
        self._client.requester.graphql_named_mutation("enqueuePullRequest", given, "mergeQueueEntry { position }")

    # --- TrainingRuns

    @_clear
    def of(self, number: int) -> list[TrainingRun]:
        found = self._ask("GET", f"{self._url}/actions/workflows/{TRAINING}/runs?per_page=100")["workflow_runs"]
        # `pull_requests` of a run is often empty and says nothing of a dispatched one; the file's `run-name` does
        mine = [one for one in found if one["display_title"].partition(" ")[0] == f"#{number}"]
        return [
            TrainingRun(
                one["id"],
                datetime.fromisoformat(one["created_at"]),
                is_going=one["status"] != "completed",
                is_dispatched=one["event"] == "workflow_dispatch",
            )
            for one in mine
        ]

    @_clear
    def started_by(self, login: str, workflow: str, since: datetime) -> int:
        # https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow
        at = since.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        asked = {"actor": login, "event": "workflow_dispatch", "created": f">={at}", "per_page": 1}
        path = f"{self._url}/actions/workflows/{quote(workflow)}/runs?{urlencode(asked)}"
        return int(self._ask("GET", path)["total_count"])

    @_clear
    def cancel(self, run_id: int) -> bool:
        from github import GithubException

        try:
            self._ask("POST", f"{self._url}/actions/runs/{run_id}/cancel")
        except GithubException as error:
            if error.status != 409:
                raise
            return False
        return True


def _of(deployments: list[dict[str, Any]], environment: str, payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in deployments if (one["environment"], one["payload"]) == (environment, dict(payload))]


def _account(user: github.NamedUser.NamedUser | Any | None) -> Account:
    if user is None:
        return GHOST
    return Account(id=user.id, login=user.login, kind="Bot" if user.type == "Bot" else "User")


def _comment(comment: Any) -> Comment:
    app = comment.performed_via_github_app
    return Comment(
        id=comment.id,
        author=_account(comment.user),
        body=comment.body or "",
        created_at=comment.created_at,
        updated_at=comment.updated_at,
        app_id=app.id if app else None,
    )
