"""The GitHub adapter through PyGithub and HTTP, against the rehearsal's GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from urllib3.exceptions import MaxRetryError
from urllib3.response import HTTPResponse

from bot.adapters.github import ACTIONS, GitHub
from bot.adapters.github_retry import CarefulRetry
from bot.errors import UserError, WorldError
from bot.records.event import Account
from bot.sandbox.people import Team
from bot.sandbox.world import Sandbox
from tests.sandboxes import small_sandbox

MARKER = "<!-- mlbot:report:test -->"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A repository with one pull request of dana's."""
    teams = (Team("validators", ("vera",)), Team("risk", ("owen",), parent="validators"))
    with small_sandbox(tmp_path_factory.mktemp("github"), teams=teams) as started:
        started.propose("dana", "change", {"models/a.txt": b"two\n"}, "Change")
        yield started


def github(sandbox: Sandbox, login: str = "dana", **changes: object) -> GitHub:
    settings = {"api_url": sandbox.api_url, "repository": sandbox.repository, "token": sandbox.token(login)}
    return GitHub(**{**settings, "account": None, **changes})  # type: ignore[arg-type]


def test_a_pull_request_is_read_with_its_people_and_commits(sandbox: Sandbox) -> None:
    port = github(sandbox)
    found = port.get(1)
    assert (found.title, found.author.login, found.state, found.merged) == ("Change", "dana", "open", False)
    assert not found.from_fork and found.merge_commit_sha is None
    assert [commit.sha for commit in port.commits(1)] == [found.head_sha]
    assert port.permissions([OWEN]) == {1002: "write"}
    assert 1 in port.open_numbers()


def test_an_expired_token_says_so_and_what_to_do(sandbox: Sandbox) -> None:
    with pytest.raises(UserError, match="401") as caught:
        github(sandbox, token="expired").get(1)
    assert caught.value.code == "token_refused" and "fresh token" in (caught.value.hint or "")


@pytest.mark.parametrize("repository", ["acme/nothing", "nobody/models"])
def test_a_repository_that_is_not_there_says_so(sandbox: Sandbox, repository: str) -> None:
    with pytest.raises(UserError, match="404") as caught:
        github(sandbox, repository=repository).get(1)
    assert "GITHUB_REPOSITORY" in (caught.value.hint or "")


def test_a_pull_request_that_is_not_there_says_so(sandbox: Sandbox) -> None:
    with pytest.raises(UserError, match="404"):
        github(sandbox).get(999)


def test_a_server_that_does_not_answer_is_the_worlds_fault() -> None:
    port = GitHub(api_url="http://127.0.0.1:9", repository="acme/models", token="x")
    port._client.requester._Requester__retry = None  # type: ignore[attr-defined]
    with pytest.raises(WorldError, match="does not answer"):
        port.get(1)


def test_one_comment_is_edited_in_place_and_people_who_quote_its_marker_are_left_alone(sandbox: Sandbox) -> None:
    number = sandbox.propose("dana", "comments", {"models/a.txt": b"three\n"}, "Comments")
    issue = sandbox.github("owen").get_repo(sandbox.repository).get_issue(number)
    quoted = issue.create_comment(f"{MARKER}\nI only quote the bot")
    for index in range(105):
        issue.create_comment(f"chatter {index}")  # the bot's comment is on the second page
    github(sandbox).upsert_comment(number, MARKER, f"{MARKER}\nfirst")
    github(sandbox).upsert_comment(number, MARKER, f"{MARKER}\nsecond")
    comments = github(sandbox).comments(number)
    assert [one.body for one in comments if one.author.login == "dana"] == [f"{MARKER}\nsecond"]
    assert next(one for one in comments if one.id == quoted.id).body == f"{MARKER}\nI only quote the bot"


def test_a_status_and_a_deployment_are_written_once_for_the_same_payload(sandbox: Sandbox) -> None:
    port, sha = github(sandbox), github(sandbox).get(1).head_sha
    port.set_status(sha, "mlbot/verdict", "success", "x" * 300, None)
    assert port.statuses(sha)["mlbot/verdict"] == ("success", "x" * 140)
    for _ in range(2):
        port.deployment(sha, "staging", {"model": "churn"}, "success", "promote churn")
    deployments = sandbox.github("dana").get_repo(sandbox.repository).get_deployments(sha=sha)
    assert [one.payload for one in deployments] == [{"model": "churn"}]
    assert [one.state for one in deployments[0].get_statuses()] == ["success"]


def test_a_merge_of_a_head_that_moved_is_refused(sandbox: Sandbox) -> None:
    number = sandbox.propose("dana", "moves", {"models/a.txt": b"four\n"}, "Moves")
    old = github(sandbox).get(number).head_sha
    sandbox.commit("dana", "moves", {"models/a.txt": b"five\n"}, "more")
    with pytest.raises(UserError) as caught:
        github(sandbox, "owen").merge(number, old)
    assert caught.value.code == "refused"
    assert not github(sandbox).get(number).merged


def test_a_read_is_asked_once_a_process(sandbox: Sandbox) -> None:
    port = github(sandbox)
    before = len(sandbox.requests())
    for _ in range(3):
        port.get(1), port.commits(1), port.reviews(1), port.permissions([OWEN]), port.comments(1)
        port.timeline(1)
    asked = [path.rsplit("/", 1)[-1] for _, path, _ in sandbox.requests()[before:]]
    assert asked == ["graphql", "commits", "permission"]


DANA, OWEN, VERA, RHEA = (
    Account(id=id_, login=login) for id_, login in ((1001, "dana"), (1002, "owen"), (1003, "vera"), (1004, "rhea"))
)


def test_the_roles_of_several_people_take_one_request(sandbox: Sandbox) -> None:
    port, before = github(sandbox), len(sandbox.requests())
    assert port.permissions([OWEN, RHEA]) == {1002: "write", 1004: "maintain"}
    assert port.permissions([VERA, OWEN])[1003] == "write"
    assert len(sandbox.requests()) - before == 1


@pytest.mark.parametrize("status", [403, 404])
def test_a_token_that_may_not_list_people_asks_for_each(sandbox: Sandbox, status: int) -> None:
    port, before = github(sandbox), len(sandbox.requests())
    sandbox.fail_next("GET", r"/collaborators$", status, message="Must have push access to view collaborators.")
    assert port.permissions([OWEN, VERA]) == {1002: "write", 1003: "write"}
    assert len(sandbox.requests()) - before == 3


STALE = [
    ("somebody who is gone", Account(id=5555, login="leaver"), "none", 2),
    ("whose login is another's by now, and who is gone", Account(id=5555, login="owen"), "none", 2),
    ("whose login is another's by now, and who is called otherwise", Account(id=1002, login="dana"), "write", 3),
    ("whose login is nobody's by now, and who is called otherwise", Account(id=1004, login="rhea-old"), "maintain", 3),
    ("who is called as ever", OWEN, "write", 1),
]


@pytest.mark.parametrize(("account", "role", "n_requests"), [one[1:] for one in STALE], ids=[one[0] for one in STALE])
def test_the_role_is_that_of_the_account_whatever_it_was_called(
    sandbox: Sandbox, account: Account, role: str, n_requests: int
) -> None:
    port, before = github(sandbox), len(sandbox.requests())
    for _ in range(2):
        assert port.permissions([account]) == {account.id: role}
    assert len(sandbox.requests()) - before == n_requests


@pytest.mark.parametrize("page", [100, 1], ids=["a small team", "a team of hundreds"])
def test_a_place_in_a_team_is_that_of_the_account_whatever_it_was_called(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr("bot.adapters.github_people.PAGE", page)
    port = github(sandbox, "owen")
    asked = [VERA, OWEN, DANA, Account(id=1003, login="vera-old"), Account(id=1002, login="dana")]
    assert [port.in_team("acme/validators", one) for one in asked] == [True, True, False, True, True]
    taken = [Account(id=5555, login="vera"), Account(id=5555, login="owen")]
    assert [port.in_team("acme/validators", one) for one in taken] == [False, False], "owen is in the team below"


def test_everybody_s_place_in_a_team_takes_one_request(sandbox: Sandbox) -> None:
    port, before = github(sandbox, "owen"), len(sandbox.requests())
    assert [port.in_team("acme/validators", one) for one in (VERA, OWEN, DANA)] == [True, True, False]
    assert len(sandbox.requests()) - before == 1
    assert port.in_team("acme/no-such-team", VERA) is None


@pytest.mark.parametrize(
    ("status", "headers"), [(502, {}), (429, {"Retry-After": "3600"}), (403, {"Retry-After": "3600"}), (403, {})]
)
@pytest.mark.parametrize(("method", "path"), [("POST", r"/graphql$"), ("PATCH", r"/issues/")])
def test_a_bad_day_of_github_is_waited_out_and_no_wait_is_longer_than_a_minute(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, method: str, path: str, status: int, headers: dict[str, str]
) -> None:
    """Server errors, and secondary rate limits with and without a named wait."""
    waits: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waits.append)
    port = github(sandbox)
    port.upsert_comment(1, MARKER, f"{MARKER}\none")
    sandbox.fail_next(method, path, status, headers)
    github(sandbox).upsert_comment(1, MARKER, f"{MARKER}\n{method} {status} {len(headers)}")
    assert f"{MARKER}\n{method} {status} {len(headers)}" in {one.body for one in github(sandbox).comments(1)}
    assert all(0 <= wait <= 60 for wait in waits)
    assert waits or status == 502


def test_an_edited_comment_is_not_read_again(sandbox: Sandbox) -> None:
    number = sandbox.propose("dana", "again", {"models/a.txt": b"six\n"}, "Again")
    port, before = github(sandbox), len(sandbox.requests())
    for body in (f"{MARKER}\nfirst", f"{MARKER}\nsecond", f"{MARKER}\nsecond"):
        port.upsert_comment(number, MARKER, body)
    assert [one.body for one in port.comments(number)] == [f"{MARKER}\nsecond"]
    assert [method for method, _, _ in sandbox.requests()[before:]] == ["POST", "POST", "GET", "PATCH"]  # who am I


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([{"type": "RATE_LIMITED", "message": "API rate limit exceeded for installation ID 1."}], WorldError),
        ([{"type": "FORBIDDEN", "message": "Resource not accessible by integration"}], UserError),
        ([{"message": "Something went wrong while executing your query."}], WorldError),
        ([{"type": "NOT_FOUND", "message": "Could not resolve to a Repository"}] * 2, WorldError),
    ],
)
def test_half_an_answer_is_no_answer(monkeypatch: pytest.MonkeyPatch, errors: list[Any], kind: type) -> None:
    """GitHub answers a query with 200, some of the data, and what went wrong beside them."""
    port = GitHub(api_url="http://127.0.0.1:9", repository="a/b", token="x")
    answer = {"data": {"repository": {"pullRequest": None}}, "errors": errors}
    monkeypatch.setattr(type(port._client.requester), "requestJsonAndCheck", lambda *_, **__: ({}, answer))
    with pytest.raises(kind, match=errors[0]["message"][:20]):
        port.get(1)


def test_github_token_acts_as_githubs_own_app_without_asking() -> None:
    assert GitHub(api_url="http://127.0.0.1:9", repository="a/b", token="x").me() == ACTIONS


def test_merges_are_looked_for_page_by_page_no_further_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pull requests that were closed last come first; one that was only closed is none of them."""
    start, asked = datetime(2026, 11, 23, tzinfo=UTC), list[str]()

    def page(verb: str, path: str, body: object = None) -> list[dict[str, object]]:
        asked.append(path)
        number = int(path.rpartition("=")[2])
        found = []
        for place in range(100):
            at = (start - timedelta(minutes=100 * (number - 1) + place)).isoformat().replace("+00:00", "Z")
            found.append({
                "number": 1000 - 100 * (number - 1) - place, "head": {"sha": "a" * 40}, "merge_commit_sha": "b" * 40,
                "merged_at": at if place % 2 else None, "updated_at": at,
            })  # fmt: skip
        return found

    port = GitHub(api_url="http://127.0.0.1:9", repository="acme/models", token="x", default_branch="release/1")
    monkeypatch.setattr(port, "_ask", page)
    found = port.merged(start - timedelta(minutes=150))
    assert len(asked) == 2 and "base=release%2F1&sort=updated&direction=desc" in asked[0]
    assert [one.number for one in found] == list(range(851, 1000, 2)), "the first first"
    asked.clear()
    assert port.merged(start - timedelta(days=400)) and len(asked) == 15, "and never more than 15 requests"


@pytest.mark.parametrize("takes_effect", [True, False])
def test_a_comment_whose_answer_was_lost_is_looked_for_before_it_is_posted_again(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, takes_effect: bool
) -> None:
    number = sandbox.propose("dana", f"lost-{takes_effect}", {f"models/l{takes_effect}.txt": b"1\n"}, "Lost")
    port, posts = github(sandbox), list[str]()
    ask = port._ask

    def lost(verb: str, path: str, body: object = None) -> object:
        posts.append(verb)
        is_first = verb == "POST" and posts.count("POST") == 1
        answer = ask(verb, path, body) if takes_effect or not is_first else None  # type: ignore[arg-type]
        if is_first:
            raise requests.ReadTimeout("GitHub does not answer")
        return answer

    monkeypatch.setattr(port, "_ask", lost)
    monkeypatch.setattr("bot.adapters.github_retry.time.sleep", lambda seconds: None)
    port.upsert_comment(number, MARKER, f"{MARKER}\nreport")
    assert [one.body for one in github(sandbox).own(number, MARKER)] == [f"{MARKER}\nreport"]
    assert posts.count("POST") == (1 if takes_effect else 2)


@pytest.mark.parametrize(
    ("method", "url", "status", "again"),
    [
        ("POST", "/repos/acme/models/issues/7/comments", 502, False),
        ("POST", "/repos/acme/models/issues/7/comments", 403, True),
        ("POST", "/repos/acme/models/deployments", 500, False),
        ("POST", "/repos/acme/models/actions/workflows/promote.yml/dispatches", 503, False),
        ("POST", "/repos/acme/models/statuses/abc", 502, True),
        ("POST", "/graphql", 502, True),
        ("PATCH", "/repos/acme/models/issues/comments/3", 502, True),
        ("GET", "/repos/acme/models/issues/7/comments", 502, True),
    ],
)
def test_what_would_be_made_twice_is_repeated_only_when_github_did_not_do_it(
    method: str, url: str, status: int, again: bool
) -> None:
    said = HTTPResponse(body=b"{}", status=status, headers={"Retry-After": "1"})
    retry = CarefulRetry(total=4, allowed_methods=("GET", "POST", "PATCH"))
    if again:
        assert retry.increment(method, url, said).total == 3
    else:
        with pytest.raises(MaxRetryError):
            retry.increment(method, url, said)
