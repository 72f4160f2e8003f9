"""Environments: whose jobs they take, and what a job that they refuse becomes."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml

from bot.sandbox import dialect, environments
from bot.sandbox.store import Environment
from bot.sandbox.world import Sandbox

WORKFLOW = """
jobs:
  a:
    environment: prod
    steps:
    - run: |
        echo one
      env: {queue: max}
    - if: always()
      run: echo two
    # no more

  b:
    environment: {name: prod, deployment: false}
    concurrency: {group: x, queue: max}
    steps: [{run: echo b, with: {environment: {deployment: 1}}}]
  c:
    environment: ${{ inputs.environment }}
    steps: [{run: echo c}]
  d: {steps: [{run: echo d}]}
"""
TAKEN = [
    (("main",), "refs/heads/main", True),
    (("main",), "refs/heads/side", False),
    (("main",), "refs/pull/5/merge", False),
    (("main",), "refs/tags/main", False),
    ((), "refs/heads/main", False),
    (("rel/*",), "refs/heads/rel/1", True),
    (("*",), "refs/heads/rel/1", False),
    (("v1",), "refs/tags/v1", False),
    (("refs/tags/v*",), "refs/tags/v1", True),
    (("refs/pull/*/merge",), "refs/pull/5/merge", True),
]


def limited(*patterns: str, protected: bool = False) -> Environment:
    return Environment("prod", None, True, list(patterns), for_protected=protected)  # type: ignore[arg-type]


def test_a_refused_job_has_nothing_but_the_step_that_says_so() -> None:
    jobs = yaml.safe_load(dialect.for_act(WORKFLOW, frozenset({"prod"})))["jobs"]
    refused = yaml.safe_load(environments.refusal("prod"))
    assert jobs["a"]["steps"] == jobs["b"]["steps"] == [refused]
    assert jobs["b"]["environment"] == {"name": "prod"} and jobs["b"]["concurrency"] == {"group": "x"}
    assert jobs["c"]["steps"] == [{"run": "echo c"}] and jobs["d"]["steps"] == [{"run": "echo d"}]
    assert len(yaml.safe_load(dialect.for_act(WORKFLOW, frozenset({"other"})))["jobs"]["a"]["steps"]) == 2


@pytest.mark.parametrize(
    "ref, said",
    [
        ("refs/heads/a/b", 'Branch "a/b" is'),
        ("refs/pull/5/merge", 'Branch "refs/pull/5/merge" is'),
        ("refs/tags/v1", 'Tag "v1" is'),
    ],
)
def test_the_refusal_names_branch_or_tag(ref: str, said: str) -> None:
    """As https://github.com/actions/deploy-pages/issues/151 shows it."""
    step = yaml.safe_load(environments.refusal("prod"))
    known = step["env"] | {"GITHUB_REF": ref, "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(["sh", "-c", step["run"]], env=known, capture_output=True, text=True)
    lines = ended.stdout.splitlines()
    assert (ended.returncode, lines[0]) == (
        1,
        f"::error::{said} not allowed to deploy to prod due to environment protection rules.",
    )
    assert lines[1:] == ["::error::The deployment was rejected or didn't satisfy other protection rules."]


def test_an_environment_takes_the_branches_that_it_names(world: Sandbox) -> None:
    def admits(environment: Environment, ref: str) -> bool:
        return environments.admits(world.hub, world.repo, environment, ref)

    assert [(patterns, ref, admits(limited(*patterns), ref)) for patterns, ref, _ in TAKEN] == TAKEN
    assert all(admits(Environment("open", world.hub.clock()), ref) for _, ref, _ in TAKEN)


def test_an_environment_of_protected_branches_takes_all_while_none_is(world: Sandbox) -> None:
    found = limited(protected=True)

    def taken(name: str) -> bool:
        return environments.admits(world.hub, world.repo, found, f"refs/heads/{name}")

    assert taken("main") and taken("other")
    world.repo.protections["main"] = {}
    assert taken("main") and not taken("other")
    assert not environments.admits(world.hub, world.repo, found, "refs/tags/main")


def test_an_administrator_says_which_branches_and_tags_deploy(world: Sandbox, call: Any) -> None:
    adam, policies = call("adam"), "/environments/prod/deployment-branch-policies"
    either = {"protected_branches": False, "custom_branch_policies": True}
    shown = adam("PUT", "/environments/prod", {"deployment_branch_policy": either})[1]
    assert (shown["deployment_branch_policy"], shown["protection_rules"][0]["type"]) == (either, "branch_policy")
    assert adam("POST", policies, {"name": "main"})[0] == 200
    tag = adam("POST", policies, {"name": "v*", "type": "tag"})[1]
    assert (tag["name"], tag["type"]) == ("v*", "tag")
    assert adam("DELETE", f"{policies}/{tag['id']}")[0] == 204
    assert [one["name"] for one in adam("GET", policies)[1]["branch_policies"]] == ["main"]
    assert adam("DELETE", f"{policies}/{tag['id']}")[0] == 404
    protected = {"protected_branches": True, "custom_branch_policies": False}
    assert adam("PUT", "/environments/prod", {"deployment_branch_policy": protected})[0] == 200
    assert adam("GET", "/environments/prod")[1]["deployment_branch_policy"] == protected
    assert adam("POST", policies, {"name": "side"})[0] == 404
