"""Every answer and every webhook payload has the shape that GitHub's own OpenAPI description gives it."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.sandbox.hub import FULL, Happening
from bot.sandbox.store import Job
from bot.sandbox.world import Sandbox
from tests.sandbox import publishing
from tests.sandbox.administration import administrate

PAYLOADS = Path(__file__).parents[1] / "payloads"
SPEC = json.loads(gzip.decompress((PAYLOADS / "github-openapi.json.gz").read_bytes()))
STRICT = json.loads(gzip.decompress((PAYLOADS / "github-webhooks.json.gz").read_bytes()))

# GitHub's description of this list forgets the events that only change a state; its timeline's has them
_EVENTS = SPEC["answers"]["GET /repos/{}/{}/issues/{}/events"]["200"]
_EVENTS["items"] = {"anyOf": [_EVENTS["items"], {"$ref": "#/components/schemas/state-change-issue-event"}]}


FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("uri")
def is_uri(value: Any) -> bool:
    """Whether it has a scheme, and no letter that an address must escape."""
    return not isinstance(value, str) or bool(re.fullmatch(r"[a-z]+:[\w.~:/?#@!$&'()*+,;=%-]+", value, re.ASCII))


def shape(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "{}", path)


def problems(schema: Any, body: Any) -> list[str]:
    """What is wrong with a body, in words that name the place."""
    whole = {**schema, "components": SPEC["components"]}
    found = jsonschema.Draft7Validator(whole, format_checker=FORMATS).iter_errors(body)
    return ["/".join(map(str, error.absolute_path)) + ": " + error.message[:200] for error in found]


def strict_problems(happening: Happening) -> list[str]:
    """What the older, stricter schema of a webhook finds, fields that GitHub does not send among it."""
    name = f"{happening.event}${happening.action}" if happening.action else f"{happening.event}_event"
    if name not in STRICT["definitions"] or name == "repository$transferred":  # it knows no organization that gives
        return []
    payload = json.loads(json.dumps(happening.payload))
    for newer in ("user_view_type", "immutable", "digest"):
        payload = without(payload, newer)
    payload.get("release", {}).pop("updated_at", None)
    whole = {"$ref": f"#/definitions/{name}", **STRICT}
    found = jsonschema.Draft7Validator(whole, format_checker=FORMATS).iter_errors(payload)
    return ["/".join(map(str, error.absolute_path)) + ": " + error.message[:200] for error in found]


def without(value: Any, name: str) -> Any:
    """The same without a field that GitHub added since, wherever it is."""
    if isinstance(value, list):
        return [without(one, name) for one in value]
    return {k: without(v, name) for k, v in value.items() if k != name} if isinstance(value, dict) else value


def story(world: Sandbox, call: Any) -> None:
    """Something of everything: each operation of the API is answered once with success."""
    dana, owen, rhea, adam = call("dana"), call("owen"), call("rhea"), call("adam")
    workflow = (
        b"name: W\non: {workflow_dispatch: {inputs: {x: {default: a}}}, schedule: [{cron: 1 2 * * *}]}\njobs: {}\n"
    )
    world.commit("rhea", "main", {".github/workflows/w.yml": workflow}, "workflow")
    n = world.propose("dana", "deeper", {"models/churn/model.yaml": b"depth: 4\n", "new.txt": b"x\n"}, "Deeper trees")
    p = f"/pulls/{n}"
    _, pull = dana("GET", p)
    head = pull["head"]["sha"]
    for path in (
        "",
        "/pulls",
        "/pulls?state=all",
        "/activity",
        f"{p}/commits",
        f"{p}/files",
        f"{p}/comments",
        f"{p}/requested_reviewers",
    ):
        dana("GET", path)
    dana("POST", f"{p}/requested_reviewers", {"reviewers": ["vera"]})
    dana("PATCH", p, {"title": "Deeper", "body": "Because."})
    adam("POST", f"{p}/requested_reviewers", {"reviewers": ["adam"]})
    dana("DELETE", f"{p}/requested_reviewers", {"reviewers": ["adam"]})
    dana("PATCH", p, {"state": "closed"})
    dana("PATCH", p, {"state": "open"})
    world.commit("dana", "deeper", {"newer.txt": b"y\n"}, "more")
    head = dana("GET", p)[1]["head"]["sha"]
    dana("POST", f"{p}/convert_to_draft", {})
    dana("POST", f"{p}/ready_for_review", {})
    _talk(dana, owen, rhea, n)
    _, review = owen("POST", f"{p}/reviews", {"event": "APPROVE", "body": "fine"})
    _, pending = call("vera")("POST", f"{p}/reviews", {"body": "later"})
    call("vera")("POST", f"{p}/reviews/{pending['id']}/events", {"event": "REQUEST_CHANGES"})
    _, dropped = call("rita")("POST", f"{p}/reviews", {"body": "never mind"})
    call("rita")("DELETE", f"{p}/reviews/{dropped['id']}")
    owen("GET", f"{p}/reviews")
    owen("GET", f"{p}/reviews/{review['id']}")
    owen("PUT", f"{p}/reviews/{review['id']}", {"body": "very fine"})
    rhea("PUT", f"{p}/reviews/{pending['id']}/dismissals", {"message": "solved"})
    rhea("POST", f"/statuses/{head}", {"state": "success", "context": "mlbot", "description": "fine"})
    for path in ("", "/status", "/statuses", "/check-runs", "/pulls"):
        dana("GET", f"/commits/{head}{path}")
    dana("GET", "/commits?path=README.md")
    dana("GET", f"/compare/main...{head}")
    rhea("PUT", f"{p}/merge", {"sha": head})
    dana("GET", f"{p}/merge")
    dana("GET", p)
    _history(dana, n)
    _objects(dana, rhea, head)
    _releases(dana, rhea)
    _people(world, dana, rhea, adam)
    rhea("POST", "/actions/workflows/w.yml/dispatches", {"ref": "main"})
    rhea("POST", "/dispatches", {"event_type": "x"})
    world.settle(30)
    publishing.publish(world, dana, rhea)
    publishing.fetch(world, dana, rhea, world.runs[-1])
    publishing.administer(adam)
    _runs(world, dana, adam, rhea)
    administrate(world, adam, rhea)
    call("rita")("POST", "/forks", {})
    dana("GET", "/forks")
    adam("PATCH", "", {"name": "ml"})
    adam("POST", "/transfer", {"new_owner": "globex"})


def _talk(dana: Any, owen: Any, rhea: Any, n: int) -> None:
    _, issue = dana("POST", "/issues", {"title": "Drift", "body": "of churn", "labels": ["drift"]})
    i = f"/issues/{issue['number']}"
    for path in ("/issues", f"{i}", f"/issues/{n}", "/issues/comments", "/labels", "/labels/drift", f"{i}/labels"):
        dana("GET", path)
    rhea("POST", "/labels", {"name": "monitor", "color": "ff0000"})
    rhea("POST", f"{i}/labels", {"labels": ["monitor"]})
    rhea("PUT", f"{i}/labels", {"labels": ["monitor", "x"]})
    rhea("DELETE", f"{i}/labels/x")
    rhea("DELETE", f"{i}/labels")
    rhea("DELETE", "/labels/x")
    rhea("POST", f"/issues/{n}/labels", {"labels": ["data"]})
    rhea("DELETE", f"/issues/{n}/labels/data")
    _, comment = owen("POST", f"/issues/{n}/comments", {"body": "/approve"})
    c = f"/issues/comments/{comment['id']}"
    owen("PATCH", c, {"body": "/unapprove"})
    _, reaction = dana("POST", f"{c}/reactions", {"content": "eyes"})
    for path in (c, f"{c}/reactions", f"/issues/{n}/comments"):
        dana("GET", path)
    dana("DELETE", f"{c}/reactions/{reaction['id']}")
    owen("DELETE", c)
    dana("PATCH", i, {"state": "closed"})
    dana("PATCH", i, {"state": "open", "body": f"of churn, see #{n} and ask @owen", "assignees": ["owen"]})
    dana("POST", f"{i}/comments", {"body": f"of churn, see #{n} and ask @owen"})
    for number in (n, issue["number"]):
        rhea("POST", f"/issues/{number}/assignees", {"assignees": ["vera"]})
        rhea("DELETE", f"/issues/{number}/assignees", {"assignees": ["vera"]})
        rhea("PUT", f"/issues/{number}/lock", {"lock_reason": "too heated"})
        rhea("DELETE", f"/issues/{number}/lock")


def _history(dana: Any, n: int) -> None:
    _, events = dana("GET", f"/issues/{n}/events?per_page=100")
    dana("GET", "/issues/events?per_page=100")
    for one in events:
        dana("GET", f"/issues/events/{one['id']}")
    dana("GET", f"/issues/{n}/timeline?per_page=100")


def _objects(dana: Any, rhea: Any, head: str) -> None:
    rhea("POST", "/git/refs", {"ref": "refs/heads/side", "sha": head})
    rhea("PATCH", "/git/refs/heads/side", {"sha": head})
    _, tag = rhea("POST", "/git/tags", {"tag": "v1", "message": "one", "object": head, "type": "commit"})
    rhea("POST", "/git/refs", {"ref": "refs/tags/v1", "sha": tag["sha"]})
    _, commit = dana("GET", f"/git/commits/{head}")
    tree = commit["tree"]["sha"]
    _, listed = dana("GET", f"/git/trees/{tree}?recursive=1")
    blob = next(entry["sha"] for entry in listed["tree"] if entry["type"] == "blob")
    paths = ["/git/ref/heads/main", "/git/ref/tags/v1", "/git/matching-refs/heads/", f"/git/tags/{tag['sha']}", "/tags"]
    paths += ["/branches", "/branches/main", f"/git/blobs/{blob}", "/contents/models", "/contents/README.md"]
    for path in paths:
        dana("GET", path)
    rhea("DELETE", "/git/refs/heads/side")


def _releases(dana: Any, rhea: Any) -> None:
    body = {"ref": "main", "environment": "staging", "payload": {"model": "churn"}, "required_contexts": []}
    _, made = rhea("POST", "/deployments", body)
    where = f"/deployments/{made['id']}"
    rhea("POST", f"{where}/statuses", {"state": "success", "description": "live"})
    for path in (
        "/deployments?environment=staging",
        where,
        f"{where}/statuses",
        "/environments",
        "/environments/staging",
    ):
        dana("GET", path)


def _apps(world: Sandbox) -> None:
    import github

    app, key, installation = world.add_app("acme-models", {"issues": "write"})
    auth = github.Auth.AppAuth(app, key)
    client = github.GithubIntegration(base_url=world.api_url, auth=auth, seconds_between_requests=None)
    client.get_app()
    client.get_repo_installation(*world.repository.split("/"))
    client.get_app_installation(installation)
    client.get_access_token(installation)


def _people(world: Sandbox, dana: Any, rhea: Any, adam: Any) -> None:
    _apps(world)
    dana("GET", "//rate_limit")
    dana("GET", "//user")
    dana("GET", "//users/owen")
    dana("GET", "//user/1002")
    dana("GET", "//meta")
    rhea("GET", "/collaborators")
    rhea("GET", "/collaborators/dana")
    dana("GET", "/collaborators/rhea/permission")
    adam("DELETE", "/collaborators/rita")
    adam("PUT", "/collaborators/rita", {"permission": "push"})
    adam("PUT", "/collaborators/rita", {"permission": "pull"})
    dana("GET", "//orgs/acme")
    team = "//orgs/acme/teams"
    for path in (team, f"{team}/risk", f"{team}/validators/members", f"{team}/validators/memberships/owen"):
        dana("GET", path)
    adam("GET", "/actions/permissions/workflow")
    adam("PUT", "/actions/permissions/workflow", {"default_workflow_permissions": "read"})
    made = adam("POST", "/rulesets", {"name": "x", "enforcement": "active", "target": "branch", "rules": []})[1]
    adam("DELETE", f"/rulesets/{made['id']}")
    limited = {"protected_branches": False, "custom_branch_policies": True}
    adam("PUT", "/environments/mlbot", {"deployment_branch_policy": limited})
    adam("POST", "/environments/mlbot/deployment-branch-policies", {"name": "main"})
    tags = adam("POST", "/environments/mlbot/deployment-branch-policies", {"name": "v*", "type": "tag"})[1]
    adam("DELETE", f"/environments/mlbot/deployment-branch-policies/{tags['id']}")
    remote = world.github("adam").get_repo(world.repository)
    remote.get_environment("mlbot").create_secret("MLBOT_SIGNING_KEY", "pem")
    adam("POST", "/environments/mlbot/variables", {"name": "X", "value": "1"})
    adam("GET", "/actions/variables")
    for path in ("", "/deployment-branch-policies", "/secrets", "/secrets/public-key", "/variables"):
        adam("GET", f"/environments/mlbot{path}")
    world.protect("releases", checks=["mlbot"], approvals=1)
    dana("GET", "/rulesets")
    dana("GET", f"/rulesets/{world.repo.rulesets[0]['id']}")
    dana("GET", "/rules/branches/releases")


def _runs(world: Sandbox, dana: Any, adam: Any, rhea: Any) -> None:
    run = world.runs[-1].id
    world.runs[-1].jobs.append(Job(4711, "x", "W/x", "success"))
    paths = ["/actions/workflows", "/actions/workflows/w.yml", "/actions/workflows/w.yml/runs", "/actions/runs"]
    for path in (*paths, f"/actions/runs/{run}", f"/actions/runs/{run}/jobs", "/actions/jobs/4711"):
        dana("GET", path)
    adam("PUT", "/actions/workflows/w.yml/disable")
    adam("PUT", "/actions/workflows/w.yml/enable")
    rhea("POST", f"/actions/runs/{run}/rerun", {})
    world.settle(30)


def test_answers_and_payloads_have_githubs_shapes(world: Sandbox, call: Any, happenings: list[Happening]) -> None:
    """A client that trusts GitHub's description never meets a field that is missing or of another type."""
    seen: list[tuple[str, int, Any]] = []
    original = world.api._call

    def recording(route: Any, made: Any, path: str) -> Any:
        reply = original(route, made, path)
        seen.append((f"{route.method} {shape(route.pattern)}", reply.status, reply.body))
        return reply

    world.api._call = recording  # type: ignore[method-assign]
    story(world, call)
    wrong = []
    for operation, status, body in seen:
        schemas = SPEC["answers"].get(operation)
        if schemas is None:
            continue
        assert str(status) in schemas, f"{operation} answers {status}"
        if schemas[str(status)] is not None:
            wrong += [
                f"{operation}: {problem}" for problem in problems(schemas[str(status)], json.loads(json.dumps(body)))
            ]
    assert not wrong, "\n".join(sorted(set(wrong)))
    from bot.sandbox import routes

    answered = {operation for operation, _, _ in seen}
    silent = {f"{one.method} {shape(one.pattern)}" for one in routes.ALL} - answered
    assert silent <= UNANSWERED, f"routes that the story does not reach: {sorted(silent - UNANSWERED)}"

    names = set()
    for happening in happenings:
        name = "-".join(filter(None, (happening.event, happening.action))).replace("_", "-")
        if name in SPEC["webhooks"]:
            names.add(name)
            wrong += [
                f"{name}: {one}" for one in problems(SPEC["webhooks"][name], json.loads(json.dumps(happening.payload)))
            ]
        wrong += [f"strictly, {name}: {one}" for one in strict_problems(happening)]
    assert not wrong, "\n".join(sorted(set(wrong)))
    assert set(SPEC["webhooks"]) - names <= UNHEARD


# answered with an error only, or needs a run that goes on, or is another address of an answer that is checked
UNANSWERED = {
    "GET /repos/{}/{}/branches/{}/protection",
    "POST /repos/{}/{}/actions/runs/{}/cancel",
    "GET /repos/{}/{}/contents",
    "GET /repos/{}/{}/git/refs",
    "GET /repos/{}/{}/git/refs/{}",
    "POST /graphql",  # another language: test_graphql.py
    "POST /api/graphql",
}


# heard in the stories of accounts and places, or of runs; the merge queue has its own
UNHEARD = {
    "membership-added",
    "membership-removed",
    "merge-group-checks-requested",
    "pull-request-dequeued",
    "pull-request-enqueued",
}


def test_permissions_of_a_run_are_words_that_routes_know() -> None:
    """A typing mistake in a route's permission would refuse every run."""
    from bot.sandbox import routes

    used = {name for route in routes.ALL for name in route.needs}
    assert used <= FULL.keys() | {"never", "members"}


@pytest.mark.parametrize("name", sorted(SPEC["webhooks"]))
def test_the_description_can_refuse(name: str) -> None:
    """The check above is worth something: an empty payload is refused for every event."""
    assert problems(SPEC["webhooks"][name], {})
