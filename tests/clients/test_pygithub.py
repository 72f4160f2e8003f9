"""PyGithub over TLS at an enterprise address: what mlbot itself uses, and what others use of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.world import Sandbox
from tests.sandbox.publishing import leave, past_run

Somebody = Callable[[str], Any]


def test_pull_requests_reviews_and_comments(pygithub: Somebody, opened: int) -> None:
    pull = pygithub("owen").get_pull(opened)
    pull.create_review(event="APPROVE", body="fine")
    pull.create_issue_comment("/plan").create_reaction("eyes")
    assert [one.state for one in pull.get_reviews()] == ["APPROVED"]
    assert [one.filename for one in pull.get_files()] == [f"models/m{opened}/model.yaml"]
    assert [one.commit.author.name for one in pull.get_commits()] == ["dana"]
    assert {one.event for one in pull.as_issue().get_timeline()} >= {"commented", "reviewed", "committed"}


def test_a_pull_request_is_merged(pygithub: Somebody, opened: int) -> None:
    pull = pygithub("rhea").get_pull(opened)
    assert pull.merge(merge_method="squash", sha=pull.head.sha).merged
    assert pygithub("rhea").get_pull(opened).merged


def test_issues_and_labels(pygithub: Somebody) -> None:
    repo = pygithub("rhea")
    label = repo.create_label("py", "00ff00")
    issue = repo.create_issue("From Python", body="b", labels=[label])
    issue.edit(state="closed", state_reason="not_planned")
    assert [one.number for one in repo.get_issues(state="closed", labels=["py"])] == [issue.number]
    assert issue.get_events()[0].event == "labeled"


def test_releases_and_their_files(pygithub: Somebody, tmp_path: Path) -> None:
    repo = pygithub("rhea")
    made = repo.create_git_release("py-1", "One", "first")
    (tmp_path / "card.txt").write_text("churn")
    asset = made.upload_asset(str(tmp_path / "card.txt"))
    assert repo.get_latest_release().tag_name == "py-1"
    assert [one.name for one in repo.get_release("py-1").get_assets()] == ["card.txt"]
    asset.download_asset(str(tmp_path / "got.txt"))
    assert (tmp_path / "got.txt").read_text() == "churn"


def test_runs_artifacts_and_checks(pygithub: Somebody, world: Sandbox) -> None:
    run = past_run(world)
    job = leave(world, run)
    repo = pygithub("dana")
    found = repo.get_workflow_run(run.id)
    assert [one.name for one in found.get_artifacts()] == ["report"]
    assert [one.name for one in found.jobs()] == ["build"]
    assert repo.get_check_run(job.id).conclusion == "success"
    assert [one.message for one in repo.get_check_run(job.id).get_annotations()] == ["careful"]
    assert job.id in [one.id for one in repo.get_commit(run.sha).get_check_runs()]


def test_statuses_deployments_and_comparisons(pygithub: Somebody, opened: int) -> None:
    repo = pygithub("rhea")
    head = repo.get_pull(opened).head.sha
    repo.get_commit(head).create_status("success", context="mlbot/verdict")
    assert repo.get_commit(head).get_combined_status().state == "success"
    assert repo.compare("main", head).ahead_by == 1
    assert repo.create_deployment(head, environment="staging", required_contexts=[]).environment == "staging"


def test_contents_branches_tags_and_trees(pygithub: Somebody) -> None:
    repo = pygithub("dana")
    assert repo.get_contents("README.md").decoded_content == b"# Models\n"
    assert "main" in [one.name for one in repo.get_branches()]
    assert repo.get_git_tree("main", recursive=True).tree
    assert list(repo.get_tags()) is not None
    assert repo.get_branch("main").commit.sha == repo.get_commits()[0].sha


def test_secrets_and_variables_of_an_administrator(pygithub: Somebody, world: Sandbox) -> None:
    repo = pygithub("adam")
    repo.create_secret("PY_TOKEN", "hidden")
    assert "PY_TOKEN" in [one.name for one in repo.get_secrets()]
    assert world.repo.secrets["PY_TOKEN"] == "hidden"
    repo.create_variable("PY_COLOR", "red")
    assert repo.get_variable("PY_COLOR").value == "red"


def test_the_search_and_graphql(pygithub: Somebody, opened: int) -> None:
    repo = pygithub("dana")
    _, body = repo.requester.graphql_query("{viewer {login}}", {})
    assert body["data"]["viewer"]["login"] == "dana"
    found = repo.requester.graphql_node(repo.get_pull(opened).node_id, "... on PullRequest {number}", "PullRequest")
    assert found[1]["data"]["node"]["number"] == opened


def test_a_refusal_is_an_exception_with_githubs_words(pygithub: Somebody, opened: int) -> None:
    import github

    with pytest.raises(github.GithubException) as caught:
        pygithub("rita").get_pull(opened).merge()
    assert caught.value.status == 403
