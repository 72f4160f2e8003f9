"""The API's edges: what GitHub refuses, the local one refuses in the same way."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sandbox.http import MAX_BODY
from bot.sandbox.world import Sandbox
from tests.sandbox.conftest import Caller

MODEL = "models/churn/model.yaml"


@pytest.fixture
def number(world: Sandbox) -> int:
    """An open pull request of dana's."""
    return world.propose("dana", "deeper", {MODEL: b"depth: 4\n"}, "Deeper trees")


def bot(world: Sandbox, **permissions: str) -> Caller:
    """A workflow run's token with these permissions."""
    return Caller(world, world.hub.mint({name.replace("_", "-"): level for name, level in permissions.items()}, 77))


def test_tokens_that_are_wrong_or_expired_are_refused(world: Sandbox) -> None:
    """A run's token is worth nothing once the run has ended."""
    status, body = Caller(world, "ghp_nobody")("GET", "")
    assert (status, body["message"]) == (401, "Bad credentials")
    ended = bot(world, contents="read")
    assert ended("GET", "/branches")[0] == 200
    world.hub.expire(77)
    assert ended("GET", "/branches")[0] == 401


@pytest.mark.parametrize(
    ("permissions", "method", "path", "body", "status"),
    [
        ({}, "GET", "/pulls/1", None, 403),
        ({"pull_requests": "read"}, "GET", "/pulls/1", None, 200),
        ({"pull_requests": "read"}, "POST", "/issues/1/comments", {"body": "x"}, 403),
        ({"pull_requests": "write"}, "POST", "/issues/1/comments", {"body": "x"}, 201),
        ({"issues": "write"}, "POST", "/issues/1/comments", {"body": "x"}, 201),
        ({"pull_requests": "write"}, "PUT", "/pulls/1/merge", {}, 403),
        ({"contents": "write"}, "PUT", "/pulls/1/merge", {"sha": "0" * 40}, 409),
        ({"contents": "read"}, "POST", "/statuses/HEAD", {"state": "success"}, 403),
        ({"statuses": "write"}, "POST", "/statuses/HEAD", {"state": "success"}, 201),
        ({"deployments": "read"}, "POST", "/deployments", {"ref": "main"}, 403),
        ({"deployments": "write"}, "POST", "/deployments", {"ref": "main", "required_contexts": []}, 201),
        ({"actions": "read"}, "POST", "/actions/workflows/w.yml/dispatches", {"ref": "main"}, 403),
        ({"contents": "write"}, "GET", "//user", None, 403),
        ({"contents": "write"}, "GET", "//orgs/acme/teams/validators/memberships/vera", None, 403),
        ({}, "GET", "/collaborators/rhea/permission", None, 200),
    ],
)
def test_a_run_may_do_what_its_permissions_say(
    standing: Sandbox, permissions: Any, method: str, path: str, body: Any, status: int
) -> None:
    head = standing.hub.bare(standing.repo).branch("deeper") or ""
    got, answer = bot(standing, **permissions)(method, path.replace("HEAD", head), body)
    assert got == status, answer
    if status == 403:
        assert answer["message"] == "Resource not accessible by integration"


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "status"),
    [
        (None, "GET", "/pulls/1", None, 401),
        (None, "POST", "/issues/1/comments", {"body": "x"}, 401),
        ("rita", "POST", "/issues/1/comments", {"body": "x"}, 201),
        ("rita", "PUT", "/pulls/1/merge", {}, 403),
        ("rita", "PUT", "/issues/1/labels", {"labels": ["a"]}, 403),
        ("dana", "POST", "/pulls/1/reviews", {"event": "APPROVE"}, 422),
        ("dana", "POST", "/pulls/1/reviews", {"event": "COMMENT", "body": "hm"}, 200),
        ("owen", "POST", "/pulls/1/reviews", {"event": "REQUEST_CHANGES"}, 422),
        ("owen", "POST", "/pulls/1/reviews", {"event": "SHRUG"}, 422),
        ("owen", "POST", "/pulls/1/reviews", {"event": "APPROVE", "commit_id": "0" * 40}, 422),
        ("owen", "GET", "/pulls/99", None, 404),
        ("owen", "GET", "/pulls/x", None, 404),
        ("owen", "GET", "/nothing", None, 404),
        ("owen", "GET", "//repos/acme/other", None, 404),
        ("owen", "GET", "//users/nobody", None, 404),
        ("owen", "GET", "//orgs/acme/teams/none/memberships/owen", None, 404),
        ("owen", "GET", "//orgs/acme/teams/risk/memberships/vera", None, 404),
        ("owen", "GET", "//orgs/acme/teams/validators/memberships/owen", None, 200),
        ("owen", "POST", "/issues/1/comments", {"body": "x" * MAX_BODY}, 201),
        ("owen", "POST", "/issues/1/comments", {"body": "x" * (MAX_BODY + 1)}, 422),
        ("owen", "POST", "/issues/1/comments", {"body": " "}, 422),
        ("owen", "POST", "/issues/1/comments", {"body": 7}, 422),
        ("owen", "POST", "/issues/1/comments", [], 422),
        ("owen", "POST", "/issues", {}, 422),
        ("owen", "POST", "/pulls", {"title": "t", "base": "main", "head": "deeper"}, 422),
        ("owen", "POST", "/pulls", {"title": "t", "base": "main", "head": "main"}, 422),
        ("owen", "POST", "/pulls", {"title": "t", "base": "none", "head": "deeper"}, 422),
        ("owen", "POST", "/pulls", {"title": "t", "base": "main", "head": "none"}, 422),
        ("owen", "PATCH", "/pulls/1", {"state": "merged"}, 422),
        ("owen", "POST", "/statuses/main", {"state": "success"}, 422),
        ("owen", "POST", "/git/refs", {"ref": "main", "sha": "0" * 40}, 422),
        ("owen", "POST", "/git/refs", {"ref": "refs/heads/main", "sha": "0" * 40}, 422),
        ("owen", "GET", "/git/ref/heads/none", None, 404),
        ("owen", "GET", "/compare/main...none", None, 404),
        ("owen", "GET", "/contents/none.txt", None, 404),
        ("owen", "POST", "/deployments", {"ref": "none"}, 422),
        ("owen", "POST", "/actions/workflows/none.yml/dispatches", {"ref": "main"}, 404),
    ],
)
def test_refusals(standing: Sandbox, who: str | None, method: str, path: str, body: Any, status: int) -> None:
    caller = Caller(standing, standing.token(who) if who else None)
    assert caller(method, path, body)[0] == status


def test_a_merge_takes_the_expected_head_only(world: Sandbox, number: int, call: Any) -> None:
    """Nobody merges something that was pushed after they looked."""
    owen = call("owen")
    seen = owen("GET", f"/pulls/{number}")[1]["head"]["sha"]
    world.commit("dana", "deeper", {MODEL: b"depth: 5\n"}, "sneak")
    assert owen("PUT", f"/pulls/{number}/merge", {"sha": seen})[0] == 409
    now = owen("GET", f"/pulls/{number}")[1]["head"]["sha"]
    assert owen("PUT", f"/pulls/{number}/merge", {"sha": now})[0] == 200
    merged = owen("GET", f"/pulls/{number}")[1]
    assert (merged["merged"], merged["merged_by"]["login"], merged["state"]) == (True, "owen", "closed")
    assert owen("GET", f"/commits/{merged['merge_commit_sha']}/pulls")[1][0]["number"] == number
    assert owen("PUT", f"/pulls/{number}/merge", {})[0] == 405


def test_conflicts_and_drafts_cannot_be_merged(world: Sandbox, number: int, call: Any) -> None:
    world.commit("rhea", "main", {MODEL: b"depth: 30\n"}, "meanwhile")
    found = call("owen")("GET", f"/pulls/{number}")[1]
    assert (found["mergeable"], found["mergeable_state"]) == (False, "dirty")
    assert call("owen")("PUT", f"/pulls/{number}/merge", {})[0] == 405
    draft = world.propose("dana", "draft", {"a.txt": b"a"}, "Draft", draft=True)
    assert call("owen")("PUT", f"/pulls/{draft}/merge", {})[0] == 405


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_merge_methods(world: Sandbox, number: int, call: Any, method: str) -> None:
    """The merged tree is the same; only a merge commit keeps the head as a parent."""
    assert call("owen")("PUT", f"/pulls/{number}/merge", {"merge_method": method})[0] == 200
    tip = call("owen")("GET", "/commits/main")[1]
    assert len(tip["parents"]) == (2 if method == "merge" else 1)
    assert tip["commit"]["committer"]["name"] == ("owen" if method == "rebase" else "web-flow")
    assert tip["commit"]["verification"]["verified"] == (method != "rebase")
    world.git("owen", "pull", "-q")
    assert (world.clone / MODEL).read_bytes() == b"depth: 4\n"


def test_lists_come_in_pages_that_link_to_each_other(world: Sandbox, number: int, call: Any) -> None:
    """A client that follows `next` sees every comment once, in order."""

    dana = call("dana")
    for index in range(65):
        dana("POST", f"/issues/{number}/comments", {"body": str(index)})
    url, seen, pages = f"{dana.root}/issues/{number}/comments?per_page=20", [], 0
    while url:
        answer = dana.session.get(url, timeout=30)
        seen += [int(comment["body"]) for comment in answer.json()]
        url, pages = answer.links.get("next", {}).get("url"), pages + 1
    assert (seen, pages) == (list(range(65)), 4)
    assert len(dana("GET", f"/issues/{number}/comments")[1]) == 30
    assert len(dana("GET", f"/issues/{number}/comments?per_page=1000")[1]) == 65
    assert dana("GET", f"/issues/{number}/comments?page=9")[1] == []


def test_a_pull_request_lists_250_commits_at_most(world: Sandbox, call: Any) -> None:
    work = world.directory / "people/dana"
    world.commit("dana", "long", {"a.txt": b"0"}, "first", base="main")
    bare = world.hub.bare(world.repo)
    tip = bare.commit("long")
    assert tip is not None
    sha, person = str(tip.id), world.hub.person("dana")
    for index in range(259):
        sha = bare.write_commit(
            str(tip.tree_id), [sha], f"{index}", author=person, committer=person, at=world.hub.clock()
        )
    bare.set_ref("refs/heads/long", sha)
    made = call("dana")("POST", "/pulls", {"title": "long", "head": "long", "base": "main"})[1]
    assert made["commits"] == 260
    listed = list(world.github("dana").get_repo(world.repository).get_pull(made["number"]).get_commits())
    assert len(listed) == 250
    assert work.exists()


def test_a_forced_push_moves_the_head_and_keeps_the_reviews_commit(world: Sandbox, number: int, call: Any) -> None:
    """An approval still names the commit that it was given for."""
    old = call("owen")("GET", f"/pulls/{number}")[1]["head"]["sha"]
    call("owen")("POST", f"/pulls/{number}/reviews", {"event": "APPROVE"})
    work = world.directory / "people/dana"
    (work / MODEL).write_bytes(b"depth: 99\n")
    world.git("dana", "commit", "-q", "--amend", "-am", "rewritten", cwd=work)
    world.git("dana", "push", "-q", "--force", "origin", "HEAD:refs/heads/deeper", cwd=work)
    found = call("owen")("GET", f"/pulls/{number}")[1]
    assert found["head"]["sha"] != old
    assert found["commits"] == 1
    assert call("owen")("GET", f"/pulls/{number}/reviews")[1][0]["commit_id"] == old
    assert call("owen")("GET", f"/git/commits/{old}")[0] == 200


def test_a_fork_proposes_and_cannot_push(world: Sandbox, call: Any) -> None:
    """A stranger's head lives in their own repository, and the base repository has its commits under refs/pull."""
    rita = call("rita")
    assert rita("POST", "/forks", {})[0] == 202
    work = world.directory / "fork"
    url = world.clone_url("rita").replace("acme/", "rita/")
    world.git("rita", "clone", "-q", url, str(work), cwd=world.directory)
    (work / "x.txt").write_text("x")
    world.git("rita", "add", "-A", cwd=work)
    world.git("rita", "commit", "-q", "-m", "x", cwd=work)
    world.git("rita", "push", "-q", "origin", "HEAD:refs/heads/idea", cwd=work)
    status, made = rita("POST", "/pulls", {"title": "idea", "head": "rita:idea", "base": "main"})
    assert (status, made["head"]["repo"]["full_name"], made["head"]["label"]) == (201, "rita/models", "rita:idea")
    assert rita("GET", f"/pulls/{made['number']}/files")[1][0]["filename"] == "x.txt"
    assert rita("POST", "/pulls", {"title": "no", "head": "deeper", "base": "main"})[0] == 403
    with pytest.raises(Exception, match=r"denied to rita|403"):
        world.git("rita", "push", "-q", world.clone_url("rita"), "HEAD:refs/heads/evil", cwd=work)
    assert call("owen")("PUT", f"/pulls/{made['number']}/merge", {})[0] == 200


def test_comments_tell_when_they_were_edited_and_are_gone_when_deleted(world: Sandbox, number: int, call: Any) -> None:
    owen, dana = call("owen"), call("dana")
    made = owen("POST", f"/issues/{number}/comments", {"body": "/approve"})[1]
    where = f"/issues/comments/{made['id']}"
    assert call("rita")("PATCH", where, {"body": "/reject"})[0] == 403
    world.hub.clock = lambda: datetime(2030, 1, 1, tzinfo=UTC)
    edited = owen("PATCH", where, {"body": "/reject"})[1]
    assert (edited["body"], edited["updated_at"] > edited["created_at"]) == ("/reject", True)
    first = dana("POST", f"{where}/reactions", {"content": "eyes"})
    again = dana("POST", f"{where}/reactions", {"content": "eyes"})
    assert (first[0], again[0], first[1]["id"]) == (201, 200, again[1]["id"])
    assert owen("DELETE", where)[0] == 204
    assert owen("GET", where)[0] == 404


def test_the_same_deployment_is_found_again_and_the_older_one_becomes_inactive(world: Sandbox, call: Any) -> None:
    rhea = call("rhea")
    made = []
    for model in ("a", "b"):
        body = {"ref": "main", "environment": "prod", "payload": {"model": model}, "required_contexts": []}
        made.append(rhea("POST", "/deployments", body)[1]["id"])
        rhea("POST", f"/deployments/{made[-1]}/statuses", {"state": "success"})
    newest_first = rhea("GET", "/deployments?environment=prod")[1]
    assert [one["payload"]["model"] for one in newest_first] == ["b", "a"]
    states = [rhea("GET", f"/deployments/{one}/statuses")[1][0]["state"] for one in made]
    assert states == ["inactive", "success"]
    assert rhea("GET", "/deployments?environment=staging")[1] == []


def test_failures_can_be_ordered(world: Sandbox, call: Any) -> None:
    """A rehearsal of GitHub's bad days: once, for the calls that are named, with the headers that tell to wait."""
    dana = call("dana")
    world.fail_next("GET", r"/pulls$", 502)
    world.fail_next("*", r"/issues", 403, {"Retry-After": "1"})
    assert [dana("GET", "/branches")[0], dana("GET", "/pulls")[0], dana("GET", "/pulls")[0]] == [200, 502, 200]
    status, body = dana("POST", "/issues", {"title": "x"})
    assert (status, "secondary rate limit" in body["message"]) == (403, True)
    assert dana("POST", "/issues", {"title": "x"})[0] == 201


def test_pygithub_waits_and_tries_again(world: Sandbox) -> None:
    """The bot's own client gets over a 503 and a secondary rate limit without a word."""
    import github
    from github.GithubRetry import GithubRetry

    retry = GithubRetry(total=3, secondary_rate_wait=0.1, backoff_factor=0.01)
    client = github.Github(base_url=world.api_url, auth=github.Auth.Token(world.token("dana")), retry=retry)
    world.fail_next("GET", "/repos/acme/models$", 503)
    world.fail_next("GET", "/repos/acme/models$", 429, {"Retry-After": "1"})
    assert client.get_repo(world.repository).default_branch == "main"
    assert [status for _, _, status in world.requests()][-3:] == [503, 429, 200]


def test_the_primary_rate_limit_is_counted_per_token(world: Sandbox, call: Any) -> None:
    dana = call("dana")
    before = dana("GET", "//rate_limit")[1]["resources"]["core"]
    dana("GET", "/branches")
    after = dana("GET", "//rate_limit")[1]["resources"]["core"]
    assert (after["limit"], after["used"] - before["used"]) == (5000, 2)
    run = bot(world, contents="read")
    assert run("GET", "//rate_limit")[1]["rate"]["limit"] == 1000
    token = world.hub.data.tokens[run.session.headers["Authorization"].split()[1]]  # type: ignore[union-attr]
    world.hub.spend(token, 1000)
    assert run("GET", "/branches")[0] == 403


def test_the_api_answers_below_its_enterprise_prefix_too(world: Sandbox, call: Any) -> None:
    body = call("dana")("GET", "//api/v3/repos/acme/models")[1]
    assert body["url"] == f"{world.api_url}/api/v3/repos/acme/models"


def test_a_defect_of_a_route_is_a_500_and_the_server_lives(world: Sandbox, call: Any, capsys: Any) -> None:
    world.hub.permission = lambda *_: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    assert call("dana")("GET", "/branches")[0] == 500
    del world.hub.permission  # type: ignore[method-assign]
    assert call("dana")("GET", "/branches")[0] == 200
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_sandbox_goes_on_where_it_stopped(world: Sandbox, number: int, call: Any) -> None:
    """Comments, pull requests and tokens outlive the process."""
    call("owen")("POST", f"/issues/{number}/comments", {"body": "remember"})
    world.stop()
    assert (
        "deeper"
        in subprocess.run(
            ["git", "ls-remote", "origin"], cwd=world.clone, capture_output=True, text=True, check=True
        ).stdout
    ), "the clone works without the server"
    again = Sandbox.resume(world.directory)
    try:
        pull = again.github("dana").get_repo(again.repository).get_pull(number)
        assert [comment.body for comment in pull.get_issue_comments()] == ["remember"]
        assert "deeper" in again.git("dana", "ls-remote", "origin")
        assert again.propose("dana", "next", {"b.txt": b"b"}, "Next") == number + 1
    finally:
        again.stop()
        world.server.__init__(world.api)  # type: ignore[misc]
        world.server.start()
