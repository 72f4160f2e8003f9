"""What protects a repository at GitHub protects it here: rulesets, workflow files, apps, the merge queue."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.sandbox.hub import Happening
from bot.sandbox.world import Sandbox
from tests.sandbox.conftest import Caller

MODEL = "models/churn/model.yaml"


def head_of(world: Sandbox, branch: str) -> str:
    sha = world.hub.bare(world.repo).branch(branch)
    assert sha is not None
    return sha


def test_a_required_status_must_be_green_and_from_the_right_app(world: Sandbox, call: Any) -> None:
    """A person's forged green status opens nothing when the ruleset names the app."""
    number = world.propose("dana", "deeper", {MODEL: b"depth: 4\n"}, "Deeper")
    app, _, _ = world.add_app("acme-models", {"statuses": "write"})
    world.protect(checks=["mlbot"], app=app)
    rhea, head = call("rhea"), head_of(world, "deeper")

    def merge() -> tuple[int, str]:
        status, body = rhea("PUT", f"/pulls/{number}/merge", {})
        return status, body["message"]

    assert merge() == (405, 'Repository rule violations found\n\nRequired status check "mlbot" is expected.\n\n')
    rhea("POST", f"/statuses/{head}", {"state": "success", "context": "mlbot"})
    assert merge()[0] == 405
    bot = Caller(world, world.hub.mint_for_app(world.hub.data.apps[app], {"statuses": "write"}))
    bot("POST", f"/statuses/{head}", {"state": "failure", "context": "mlbot"})
    assert merge()[1].endswith('"mlbot" is failing.\n\n')
    bot("POST", f"/statuses/{head}", {"state": "success", "context": "mlbot"})
    assert merge()[0] == 200


def test_approvals_count_from_people_who_may_write(world: Sandbox, call: Any) -> None:
    number = world.propose("dana", "deeper", {MODEL: b"depth: 4\n"}, "Deeper")
    world.protect(approvals=1)
    call("rita")("POST", f"/pulls/{number}/reviews", {"event": "APPROVE"})
    assert call("rhea")("PUT", f"/pulls/{number}/merge", {})[0] == 405
    review = call("owen")("POST", f"/pulls/{number}/reviews", {"event": "APPROVE"})[1]
    call("rhea")("PUT", f"/pulls/{number}/reviews/{review['id']}/dismissals", {"message": "no"})
    assert call("rhea")("PUT", f"/pulls/{number}/merge", {})[0] == 405
    call("owen")("POST", f"/pulls/{number}/reviews", {"event": "APPROVE"})
    assert call("rhea")("PUT", f"/pulls/{number}/merge", {})[0] == 200


def test_a_protected_branch_takes_no_push(world: Sandbox, call: Any) -> None:
    """Neither by git nor by the API, neither forward nor forced nor deleted; whoever may bypass it may."""
    world.protect("main", bypass=["adam"])
    with pytest.raises(UserError, match="Changes must be made through a pull request"):
        world.commit("dana", "main", {"a.txt": b"a"}, "direct")
    side = world.commit("dana", "side", {"a.txt": b"a"}, "side", base="main")
    status, body = call("dana")("PATCH", "/git/refs/heads/main", {"sha": side})
    assert (status, "pull request" in body["message"]) == (422, True)
    assert call("dana")("DELETE", "/git/refs/heads/main")[0] == 422
    world.protect("side")
    with pytest.raises(UserError, match="Cannot delete this branch"):
        world.git("dana", "push", "-q", "origin", "--delete", "side")
    world.commit("adam", "main", {"b.txt": b"b"}, "by an administrator")
    assert call("dana")("GET", "/rules/branches/main")[1][0]["type"] == "deletion"
    assert call("dana")("GET", "/rules/branches/other")[1] == []


def test_a_runs_token_cannot_write_workflow_files(world: Sandbox, call: Any) -> None:
    """A run with `contents: write` cannot give itself another workflow: not by git, not by a ref, not by a merge."""
    evil = {".github/workflows/evil.yml": b"on: push\njobs: {}\n"}
    number = world.propose("dana", "evil", evil, "Evil")
    tip = head_of(world, "evil")
    token = world.hub.mint({"contents": "write", "pull-requests": "write"}, 9)
    bot = Caller(world, token)
    assert bot("PUT", f"/pulls/{number}/merge", {})[0] == 403
    assert call("rhea")("PUT", f"/pulls/{number}/merge", {})[0] == 200, "a person may"
    world.git("dana", "fetch", "-q", "origin")
    work = world.directory / "people/dana"
    (work / ".github/workflows/evil.yml").write_bytes(b"on: issues\njobs: {}\n")
    world.git("dana", "commit", "-q", "-am", "more evil", cwd=work)
    url = world.clone_url("dana").replace(world.token("dana"), token)
    done = subprocess.run(["git", "push", url, "HEAD:refs/heads/more"], cwd=work, capture_output=True, text=True)
    assert (done.returncode, "refusing to allow a GitHub App" in done.stderr) == (1, True)
    assert bot("POST", "/git/refs", {"ref": "refs/heads/same", "sha": tip})[0] == 201, "nothing new comes with it"


def test_an_app_signs_itself_in(world: Sandbox, happenings: list[Happening]) -> None:
    """PyGithub's app authentication works, the app's words are the app's, and they start workflows."""
    import github

    app, key, installation = world.add_app("acme-models", {"issues": "write", "contents": "read"})
    auth = github.Auth.AppAuth(app, key).get_installation_auth(installation, {"issues": "write"})
    client = github.Github(base_url=world.api_url, auth=auth, lazy=True, seconds_between_writes=None)
    comment = client.get_repo(world.repository).create_issue("Drift").create_comment("hello")
    assert (comment.user.login, comment.user.type) == ("acme-models[bot]", "Bot")
    assert comment.performed_via_github_app.id == app
    assert [one.by_run for one in happenings if one.event == "issue_comment"] == [False]
    with pytest.raises(github.GithubException, match="403"):
        client.get_repo(world.repository).create_git_ref("refs/heads/x", "0" * 40)


def test_a_stranger_is_no_app(world: Sandbox) -> None:
    """A token signed by another key, or for another app, is refused."""
    import time

    import jwt

    app, key, installation = world.add_app("acme-models", {"issues": "write"})
    other, other_key, _ = world.add_app("other", {})
    now = int(time.time())

    def ask(signer: str, issuer: object, age: int = 0) -> int:
        claims = {"iat": now - 10 - age, "exp": now + 300 - age, "iss": str(issuer)}
        caller = Caller(world, jwt.encode(claims, signer, algorithm="RS256"))
        return caller("POST", f"//app/installations/{installation}/access_tokens", {})[0]

    assert ask(key, app) == 201
    assert ask(other_key, app) == 401
    assert ask(other_key, other) == 404
    assert ask(key, app, age=3600) == 401
    assert ask(key, "nobody") == 401
    assert Caller(world, "ghp_sandbox_dana")("GET", "//app")[0] == 401


def test_what_doctor_asks_for_can_be_set_and_is_seen(world: Sandbox, call: Any) -> None:
    """The documented rulesets and the environment for the key, set as an administrator sets them, do what they say."""
    from bot.adapters.settings import BRANCHES, ENVIRONMENT, SECRET, read_settings

    adam, root = call("adam"), Path(__file__).parents[2]
    for name in ("default-branch", "bot-branches"):
        body = json.loads((root / f"docs/rulesets/{name}.json").read_text())
        assert adam("POST", "/rulesets", body)[0] == 201
        assert call("rhea")("POST", "/rulesets", body)[0] == 403
    policy = {"protected_branches": False, "custom_branch_policies": True}
    adam("PUT", f"/environments/{ENVIRONMENT}", {"deployment_branch_policy": policy})
    adam("POST", f"/environments/{ENVIRONMENT}/deployment-branch-policies", {"name": "main"})
    remote = world.github("adam").get_repo(world.repository)
    remote.get_environment(ENVIRONMENT).create_secret(SECRET, "line one\nline two")
    assert adam("POST", f"/environments/{ENVIRONMENT}/variables", {"name": "MLBOT_APP_ID", "value": "7"})[0] == 201
    seen = read_settings(world.api_url, world.repository, world.token("adam"))
    assert (seen.environment_branches, seen.secrets) == (("main",), (SECRET,))
    assert seen.variables == {"MLBOT_APP_ID": "7"}
    assert read_settings(world.api_url, world.repository, world.token("dana")).variables is None
    assert {rule["type"] for rule in seen.rules["main"] or ()} >= {"pull_request", "required_status_checks"}
    assert {rule["type"] for rule in seen.rules[BRANCHES[0]] or ()} == {"deletion", "non_fast_forward"}
    assert world.repo.environments[ENVIRONMENT].secrets == {SECRET: "line one\nline two"}
    number = world.propose("dana", "deeper", {MODEL: b"depth: 4\n"}, "Deeper")
    assert call("rhea")("PUT", f"/pulls/{number}/merge", {})[0] == 405
    world.commit("dana", BRANCHES[0], {"a.json": b"{}"}, "one fact", base="main")
    with pytest.raises(UserError, match="Cannot delete this branch"):
        world.git("dana", "push", "-q", "origin", "--delete", BRANCHES[0])


def test_the_merge_queue_merges_what_is_green_together(world: Sandbox, happenings: list[Happening]) -> None:
    one = world.propose("dana", "one", {"one.txt": b"1"}, "One")
    two = world.propose("owen", "two", {"two.txt": b"2"}, "Two")
    group = world.merge_group(one, two)
    payload = next(h.payload for h in happenings if h.event == "merge_group")
    assert (payload["action"], payload["merge_group"]["head_sha"]) == ("checks_requested", group.sha)
    assert not world.finish_merge_group(group, ["mlbot"]), "no status yet"
    group = world.merge_group(one, two)
    Caller(world, world.token("rhea"))("POST", f"/statuses/{group.sha}", {"state": "success", "context": "mlbot"})
    assert world.finish_merge_group(group, ["mlbot"])
    remote = world.github("dana").get_repo(world.repository)
    assert [remote.get_pull(number).merged for number in (one, two)] == [True, True]
    assert head_of(world, "main") == group.sha
    assert [h.payload["reason"] for h in happenings if h.payload.get("action") == "destroyed"] == [
        "invalidated",
        "merged",
    ]


def test_a_group_with_a_conflict_is_not_formed(world: Sandbox) -> None:
    one = world.propose("dana", "one", {MODEL: b"depth: 1\n"}, "One")
    two = world.propose("dana", "two", {MODEL: b"depth: 2\n"}, "Two")
    with pytest.raises(UserError, match="#2 conflicts"):
        world.merge_group(one, two)


def test_a_run_opens_no_pull_request_until_the_repository_lets_actions_open_them(world: Sandbox, call: Any) -> None:
    world.commit("dana", "deeper", {MODEL: b"depth: 4\n"}, "Deeper", base="main")
    bot = Caller(world, world.hub.mint({"contents": "write", "pull-requests": "write"}, 9))
    asked = {"title": "Deeper", "head": "deeper", "base": "main"}
    status, answer = bot("POST", "/pulls", asked)
    assert (status, answer["message"]) == (
        403, "GitHub Actions is not permitted to create or approve pull requests.",
    )  # fmt: skip
    allowed = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": True}
    assert call("adam")("PUT", "/actions/permissions/workflow", allowed)[0] == 204
    assert bot("POST", "/pulls", asked)[0] == 201
