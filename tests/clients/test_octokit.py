"""octokit for Node over TLS, at an enterprise address, with its own retries and pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox.world import Sandbox
from tests.sandbox.publishing import leave, past_run

Octokit = Callable[..., Any]


def test_a_conversation_is_written_and_read_by_pages(octokit: Octokit, opened: int) -> None:
    found = octokit("owen", "conversation", number=opened)
    assert found["bodies"] == ["/plan", "one", "two", "three"]
    assert found["events"].count("commented") == 4


def test_a_review_with_files_and_the_difference(octokit: Octokit, opened: int) -> None:
    found = octokit("owen", "review", number=opened)
    assert found["states"] == ["APPROVED"]
    assert found["files"] == [f"models/m{opened}/model.yaml"]
    assert f"+depth: {opened}" in found["diff"]


def test_a_merge_happens_once(octokit: Octokit, opened: int) -> None:
    assert octokit("rhea", "merge", number=opened) == {"merged": True, "again": 405}


def test_a_release_with_a_file_that_comes_back(octokit: Octokit) -> None:
    assert octokit("rhea", "release", tag="octo-1") == {"latest": "octo-1", "text": "churn"}


def test_an_artifact_of_a_run_is_downloaded(octokit: Octokit, world: Sandbox) -> None:
    run = past_run(world)
    leave(world, run)
    assert octokit("dana", "artifacts", run_id=run.id) == {"name": "report", "magic": "PK"}


def test_graphql_answers_and_says_what_is_wrong(octokit: Octokit, opened: int) -> None:
    found = octokit("dana", "graphql", number=opened)
    assert found == {"title": f"Model {opened}", "author": "dana", "wrong": "undefinedField"}


def test_the_search_finds_open_pull_requests(octokit: Octokit, opened: int) -> None:
    assert opened in octokit("dana", "search")


def test_a_dispatch_that_cannot_be_is_refused(octokit: Octokit) -> None:
    assert octokit("owen", "dispatch") == {"unknown": 404, "input": 422}


def test_a_bad_gateway_is_retried(octokit: Octokit, world: Sandbox) -> None:
    world.fail_next("GET", "^/repos/acme/models$", 502)
    assert octokit("dana", "retried") == "acme/models"
