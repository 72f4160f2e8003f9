"""Limits and switches: rate limits, an archived repository, Actions and issues switched off, deployments refused."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import requests

from bot.sandbox import allowed_actions, workflows
from bot.sandbox.hub import Happening
from bot.sandbox.people import Team
from bot.sandbox.triggers import starts
from bot.sandbox.world import Sandbox
from tests.sandbox.conftest import Caller
from tests.sandbox.test_push_refusals import commit, push

WORKFLOW = b"name: W\non: [push, workflow_dispatch]\njobs: {j: {runs-on: x, steps: [{run: 'true'}]}}\n"


def ask(caller: Caller, method: str, path: str, body: Any = None) -> requests.Response:
    return caller.session.request(method, caller.root + path, json=body, timeout=30)


# --- rate limits


@pytest.mark.parametrize("status", [403, 429])
def test_who_writes_too_often_is_blocked_for_a_while_and_reads_on(world: Sandbox, call: Any, status: int) -> None:
    dana = call("dana")
    world.limit_content(per_minute=3, status=status, retry_after_s=90)
    codes = [ask(dana, "POST", "/issues", {"title": "x"}).status_code for _ in range(3)]
    refused = ask(dana, "POST", "/issues", {"title": "x"})
    assert (codes, refused.status_code) == ([201] * 3, status)
    assert refused.json()["message"].startswith("You have exceeded a secondary rate limit and have been temporarily")
    assert 80 <= int(refused.headers["Retry-After"]) <= 90 and int(refused.headers["X-RateLimit-Remaining"]) > 4000
    assert dana("GET", "/issues")[0] == 200
    assert call("owen")("POST", "/issues", {"title": "x"})[0] == 201, "the account, not everybody"
    world.clock.set(world.clock() + timedelta(seconds=70))
    assert ask(dana, "POST", "/issues", {"title": "x"}).status_code == status, "the minute is over, the block is not"
    world.clock.set(world.clock() + timedelta(seconds=30))
    assert ask(dana, "POST", "/issues", {"title": "x"}).status_code == 201


def test_a_mutation_counts_and_a_query_does_not(world: Sandbox, call: Any) -> None:
    """https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api: 403 and a message."""
    dana = call("dana")
    subject = dana("POST", "/issues", {"title": "x"})[1]["node_id"]
    world.limit_content(per_minute=2)
    say = f'addComment(input: {{subjectId: "{subject}", body: "hi"}}) {{ clientMutationId }}'
    for _ in range(4):
        assert dana("POST", "//graphql", {"query": "{ viewer { login } }"})[0] == 200
    assert dana("POST", "//graphql", {"query": f"mutation {{ a: {say} b: {say} }}"})[0] == 200
    status, body = dana("POST", "//graphql", {"query": f"mutation {{ {say} }}"})
    assert (status, body["message"][:41]) == (403, "You have exceeded a secondary rate limit ")
    assert len(world.repo.comments) == 2


def test_an_hour_has_a_limit_of_its_own(world: Sandbox, call: Any) -> None:
    dana = call("dana")
    world.limit_content(per_minute=100, per_hour=2)
    for wait_s, status in ((0, 201), (1800, 201), (600, 403), (3600, 201)):
        world.clock.set(world.clock() + timedelta(seconds=wait_s))
        assert ask(dana, "POST", "/issues", {"title": "x"}).status_code == status, wait_s


@pytest.mark.parametrize("who", ["dana", "run"])
def test_a_spent_hour_says_when_the_next_begins(world: Sandbox, call: Any, who: str) -> None:
    token = world.hub.mint({"contents": "read"}, 9) if who == "run" else world.token(who)
    caller = Caller(world, token)
    known = world.hub.data.tokens.get(token or "")
    world.hub.spend(known, world.hub.limits(known)["remaining"])
    refused = ask(caller, "GET", "/branches")
    assert (refused.status_code, refused.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert "Retry-After" not in refused.headers
    words = {"dana": "user ID 1001.", "run": "installation."}[who]
    assert refused.json()["message"].startswith(f"API rate limit exceeded for {words}")
    reset = int(refused.headers["X-RateLimit-Reset"])
    world.clock.set(world.clock() + timedelta(seconds=reset - world.clock().timestamp() + 1))
    assert ask(caller, "GET", "/branches").status_code == 200


def test_a_token_can_be_exhausted_by_name(world: Sandbox, call: Any) -> None:
    world.exhaust(world.token("dana"))
    assert (call("dana")("GET", "/branches")[0], call("owen")("GET", "/branches")[0]) == (403, 200)


# --- an archived repository


def test_an_archived_repository_is_read_only_until_it_is_none(world: Sandbox, call: Any) -> None:
    adam, dana = call("adam"), call("dana")
    number = world.propose("dana", "deeper", {"a.txt": b"a"}, "Deeper")
    assert adam("PATCH", "", {"archived": True})[1]["archived"] is True
    words = "Repository was archived so is read-only."
    for method, path in (
        ("POST", f"/issues/{number}/comments"),
        ("PUT", f"/pulls/{number}/merge"),
        ("POST", "/labels"),
    ):
        status, body = dana(method, path, {"body": "x"})
        assert (status, body["message"]) == (403, words), path
    assert adam("PATCH", "", {"has_issues": False})[1]["message"] == words
    commit(world)
    code, said = push(world, "HEAD:new")
    assert code == 128
    assert "remote: This repository was archived so it is read-only.\nfatal: unable to access" in said
    assert "The requested URL returned error: 403" in said
    assert dana("GET", f"/pulls/{number}")[0] == 200
    assert adam("PATCH", "", {"archived": False})[0] == 200
    assert push(world, "HEAD:new")[0] == 0


# --- Actions


def dispatch(caller: Caller) -> tuple[int, Any]:
    status, body = caller("POST", "/actions/workflows/w.yml/dispatches", {"ref": "main"})
    return status, body and body.get("message")


def test_actions_that_are_switched_off_start_nothing(world: Sandbox, call: Any, happenings: list[Happening]) -> None:
    world.commit("rhea", "main", {".github/workflows/w.yml": WORKFLOW}, "workflow")
    assert [start.workflow.name for start in starts(world.hub, happenings[-1])] == ["W"]
    assert call("rhea")("PUT", "/actions/permissions", {"enabled": False})[0] == 403
    assert call("adam")("PUT", "/actions/permissions", {"enabled": False})[0] == 204
    assert call("adam")("GET", "/actions/permissions")[1] == {"enabled": False, "sha_pinning_required": False}
    assert starts(world.hub, happenings[-1]) == []
    assert dispatch(call("rhea")) == (422, "Actions has been disabled for this repository.")
    call("adam")("PUT", "/actions/permissions", {"enabled": True})
    assert dispatch(call("rhea"))[0] == 204


def test_a_workflow_that_is_switched_off_is_not_dispatched(world: Sandbox, call: Any) -> None:
    world.commit("rhea", "main", {".github/workflows/w.yml": WORKFLOW}, "workflow")
    call("rhea")("PUT", "/actions/workflows/w.yml/disable")
    assert dispatch(call("rhea")) == (422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")


USES = "jobs: {j: {steps: [{uses: actions/checkout@v4}, {uses: astral-sh/setup-uv@v5}, {uses: ./here}]}}"
OURS = "jobs: {j: {uses: acme/shared/.github/workflows/x.yml@v1}}"
START = "Actions in this workflow must be: within a repository owned by acme"


@pytest.mark.parametrize(
    ("text", "switches", "said"),
    [
        (USES, {"allowed": "all"}, ""),
        (OURS, {"allowed": "local_only"}, ""),
        (
            USES,
            {"allowed": "local_only"},
            "actions/checkout@v4 and astral-sh/setup-uv@v5 are not allowed to be used in acme/models. " + START + ".",
        ),
        (
            USES,
            {"allowed": "selected"},
            f"astral-sh/setup-uv@v5 is not allowed to be used in acme/models. {START} or created by GitHub.",
        ),
        (USES, {"allowed": "selected", "patterns": ["astral-sh/*"]}, ""),
        (USES, {"allowed": "selected", "patterns": ["astral-sh/setup-uv@v5"]}, ""),
        (
            USES,
            {"allowed": "selected", "patterns": ["astral-sh/setup-uv@v4"]},
            f"astral-sh/setup-uv@v5 is not allowed to be used in acme/models. {START}, created by GitHub, "
            "or matching the following: astral-sh/setup-uv@v4.",
        ),
    ],
)
def test_which_actions_a_workflow_may_use(standing: Sandbox, text: str, switches: dict[str, Any], said: str) -> None:
    workflow = workflows.parse(".github/workflows/w.yml", text)
    assert workflow is not None
    actions = standing.repo.switches.actions
    before = dict(vars(actions))
    vars(actions).update(switches)
    try:
        assert allowed_actions.refusal(standing.repo, workflow) == said
    finally:
        vars(actions).update(before)


def test_a_workflow_with_an_action_that_is_not_allowed_fails_at_its_start(world: Sandbox, call: Any) -> None:
    call("adam")("PUT", "/actions/permissions", {"enabled": True, "allowed_actions": "local_only"})
    text = WORKFLOW.replace(b"{run: 'true'}", b"{uses: actions/checkout@v4}")
    world.commit("rhea", "main", {".github/workflows/w.yml": text}, "workflow")
    (run,) = world.settle(30)
    assert (run.conclusion, run.jobs) == ("startup_failure", [])
    assert "actions/checkout@v4 is not allowed to be used in acme/models." in run.problem


# --- issues


def test_issues_that_are_switched_off_leave_pull_requests_alone(world: Sandbox, call: Any) -> None:
    dana = call("dana")
    number = world.propose("dana", "deeper", {"a.txt": b"a"}, "Deeper")
    issue = dana("POST", "/issues", {"title": "Drift"})[1]["number"]
    call("adam")("PATCH", "", {"has_issues": False})
    said = (410, "Issues has been disabled in this repository.")
    for method, path in (
        ("POST", "/issues"), ("GET", f"/issues/{issue}"), ("POST", f"/issues/{issue}/comments"),
    ):  # fmt: skip
        status, body = dana(method, path, {"title": "x", "body": "x"})
        assert (status, body["message"]) == said, path
    assert [one["number"] for one in dana("GET", "/issues")[1]] == [number]
    assert dana("POST", f"/issues/{number}/comments", {"body": "x"})[0] == 201


# --- deployments


def deploy(caller: Caller, **body: Any) -> tuple[int, Any]:
    status, answer = caller("POST", "/deployments", body)
    return status, answer.get("message")


def test_a_deployment_waits_for_the_statuses_of_its_commit(world: Sandbox, call: Any) -> None:
    rhea, head = call("rhea"), world.hub.bare(world.repo).branch("main")
    rhea("POST", f"/statuses/{head}", {"state": "pending", "context": "ci"})
    assert deploy(rhea, ref="main") == (409, "Conflict: Commit status checks failed for main.")
    assert deploy(rhea, ref="main", required_contexts=["other"])[0] == 409
    assert deploy(rhea, ref="main", required_contexts=[])[0] == 201
    rhea("POST", f"/statuses/{head}", {"state": "success", "context": "ci"})
    assert deploy(rhea, ref="main")[0] == 201


def test_a_branch_that_lies_behind_is_merged_before_it_is_deployed(world: Sandbox, call: Any) -> None:
    rhea = call("rhea")
    world.commit("dana", "topic", {"a.txt": b"a"}, "topic", base="main")
    world.commit("dana", "clash", {"README.md": b"clash\n"}, "clash", base="main")
    world.commit("dana", "main", {"README.md": b"main\n"}, "meanwhile")
    assert deploy(rhea, ref="topic", auto_merge=False)[0] == 201
    assert deploy(rhea, ref="topic") == (202, "Auto-merged main into topic on deployment.")
    assert deploy(rhea, ref="topic")[0] == 201, "it holds the default branch now"
    assert deploy(rhea, ref="clash") == (409, "Conflict merging main into clash.")


def test_a_run_without_the_permission_deploys_nothing(world: Sandbox) -> None:
    run = Caller(world, world.hub.mint({"contents": "write"}, 9))
    assert deploy(run, ref="main", required_contexts=[]) == (403, "Resource not accessible by integration")


# --- what may not be seen


def test_a_secret_team_is_not_there_for_who_is_not_in_it(world: Sandbox, call: Any) -> None:
    world.hub.add_teams([Team("audit", ("vera",), secret=True)])
    where = "//orgs/acme/teams/audit"
    assert (call("vera")("GET", where)[1]["privacy"], call("owen")("GET", where)[0]) == ("secret", 404)
    assert call("owen")("GET", f"{where}/memberships/vera")[0] == 404
    assert "audit" not in [one["slug"] for one in call("owen")("GET", "//orgs/acme/teams")[1]]
    del world.hub.data.teams["audit"]
    assert call("vera")("GET", f"{where}/memberships/vera")[0] == 404, "gone"


def test_a_refused_push_is_as_quick_as_one_that_is_taken(world: Sandbox) -> None:
    """A push asks the server once, whatever the number of its refs."""
    commit(world)
    began = time.monotonic()
    assert push(world, *(f"HEAD:refs/heads/b{number}" for number in range(200)))[0] == 0
    assert time.monotonic() - began < 30
    assert sum(name.startswith("refs/heads/b") for name in world.hub.bare(world.repo).refs()) == 200
