"""GitHub's own command line, `gh`, in a clone of the sandbox's repository: each verb that a team uses."""

from __future__ import annotations

import zipfile
from collections.abc import Callable

import pytest

from bot.sandbox.world import Sandbox
from tests.clients.conftest import Gh

Somebody = Callable[[str], Gh]


def test_auth_status_knows_who_is_logged_in(gh: Somebody) -> None:
    done = gh("owen")("auth", "status")
    assert "as owen (GH_ENTERPRISE_TOKEN)" in done.out + done.err


def test_repo_view_and_clone(gh: Somebody) -> None:
    owen = gh("owen")
    fields = "nameWithOwner,viewerPermission,defaultBranchRef,mergeCommitAllowed,isPrivate"
    assert owen("repo", "view", "--json", fields).json == {
        "nameWithOwner": "acme/models",
        "viewerPermission": "WRITE",
        "defaultBranchRef": {"name": "main"},
        "mergeCommitAllowed": True,
        "isPrivate": False,
    }
    owen("repo", "clone", "acme/models", "another")
    assert (owen.folder / "another/models/churn/model.yaml").read_text() == "depth: 3\n"


# --- pull requests


def test_pr_list_shows_those_that_are_open(gh: Somebody, opened: int) -> None:
    owen = gh("owen")
    assert f"{opened}\tModel {opened}\tbranch-{opened}" in owen("pr", "list").out
    listed = owen("pr", "list", "--author", "dana", "--json", "number,title,state").json
    assert {"number": opened, "title": f"Model {opened}", "state": "OPEN"} in listed
    assert owen("pr", "list", "--search", "nothing-of-the-kind").out == ""


def test_pr_view_shows_what_was_said(gh: Somebody, opened: int) -> None:
    owen = gh("owen")
    shown = owen("pr", "view", str(opened)).out
    assert f"title:\tModel {opened}" in shown and "author:\tdana" in shown and "Because." in shown
    owen("pr", "comment", str(opened), "--body", "/approve")
    assert "/approve" in owen("pr", "view", str(opened), "--comments").out
    fields = "files,commits,mergeable,mergeStateStatus,reviewDecision,headRefName,author"
    found = owen("pr", "view", str(opened), "--json", fields).json
    assert [one["path"] for one in found["files"]] == [f"models/m{opened}/model.yaml"]
    assert (found["mergeable"], found["mergeStateStatus"], found["headRefName"]) == (
        "MERGEABLE",
        "CLEAN",
        f"branch-{opened}",
    )
    assert found["commits"][0]["authors"][0]["login"] == "dana"


def test_pr_checkout_lands_on_the_branch(gh: Somebody, opened: int) -> None:
    owen = gh("owen")
    owen("pr", "checkout", str(opened))
    assert (owen.folder / f"models/m{opened}/model.yaml").read_text() == f"depth: {opened}\n"
    assert owen("pr", "view", "--json", "number").json == {"number": opened}


def test_pr_diff_is_the_difference(gh: Somebody, opened: int) -> None:
    assert f"+depth: {opened}" in gh("owen")("pr", "diff", str(opened)).out
    assert "From: dana" in gh("vera")("pr", "diff", str(opened), "--patch").out


def test_pr_comment_is_heard(gh: Somebody, world: Sandbox, opened: int) -> None:
    done = gh("owen")("pr", "comment", str(opened), "--body", "/hold")
    assert f"/pull/{opened}#issuecomment-" in done.out
    assert [one.body for one in world.repo.comments.values() if one.number == opened] == ["/hold"]


def test_pr_review_approves_but_not_ones_own(gh: Somebody, world: Sandbox, opened: int) -> None:
    gh("owen")("pr", "review", str(opened), "--approve", "--body", "fine")
    [review] = [one for one in world.repo.reviews.values() if one.number == opened]
    assert (review.author, review.state, review.body) == ("owen", "APPROVED", "fine")
    refused = gh("dana")("pr", "review", str(opened), "--approve", code=1)
    assert "Can not approve your own pull request" in refused.err


def test_pr_checks_shows_statuses_and_waits_for_none(gh: Somebody, world: Sandbox, opened: int) -> None:
    head = world.hub.bare(world.repo).commit(f"branch-{opened}")
    remote = world.github("rhea").get_repo(world.repository)
    remote.get_commit(str(head.id)).create_status("success", context="mlbot/verdict")  # type: ignore[union-attr]
    assert "mlbot/verdict\tpass" in gh("owen")("pr", "checks", str(opened)).out
    remote.get_commit(str(head.id)).create_status("failure", context="mlbot/verdict")  # type: ignore[union-attr]
    assert "mlbot/verdict\tfail" in gh("vera")("pr", "checks", str(opened), code=1).out


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_pr_merge_merges_by_the_asked_method(gh: Somebody, world: Sandbox, opened: int, method: str) -> None:
    rhea = gh("rhea")
    rhea("pr", "merge", str(opened), f"--{method}")
    pull = world.repo.issues[opened].pull
    assert pull is not None and pull.merged_by == "rhea"
    merged = world.hub.bare(world.repo).commit("main")
    assert len(merged.parent_ids) == (2 if method == "merge" else 1)  # type: ignore[union-attr]


def test_pr_create_edit_ready_close_and_reopen(gh: Somebody, world: Sandbox) -> None:
    world.commit("dana", "by-gh", {"models/gh.yaml": b"1\n"}, "By gh", base="main")
    dana = gh("dana")
    url = dana("pr", "create", "--head", "by-gh", "--base", "main", "--title", "By gh", "--body", "b", "--draft").out
    number = url.strip().rsplit("/", 1)[-1]
    dana("pr", "ready", number)
    gh("rhea")("pr", "edit", number, "--title", "By gh, edited", "--add-reviewer", "vera")
    found = dana("pr", "view", number, "--json", "title,isDraft,reviewRequests").json
    assert (found["title"], found["isDraft"]) == ("By gh, edited", False)
    assert [one["login"] for one in found["reviewRequests"]] == ["vera"]
    dana("pr", "close", number)
    dana("pr", "reopen", number)
    assert [one.kind for one in world.repo.events if str(one.number) == number][-2:] == ["closed", "reopened"]
    assert "By gh, edited" in dana("pr", "status").out


def test_a_reader_may_not_merge(gh: Somebody, opened: int) -> None:
    refused = gh("rita")("pr", "merge", str(opened), "--merge", code=1).err
    assert "rita does not have the correct permissions to execute `MergePullRequest`" in refused


# --- issues


def test_issues_are_created_listed_viewed_commented_labelled_and_closed(gh: Somebody, world: Sandbox) -> None:
    owen = gh("owen")
    gh("rhea")("label", "create", "drift", "--color", "ff0000", "--force")
    url = owen("issue", "create", "--title", "Drift", "--body", "of churn").out.strip()
    number = url.rsplit("/", 1)[-1]
    owen("issue", "edit", number, "--add-label", "drift")
    assert f"{number}\tOPEN\tDrift\tdrift" in owen("issue", "list").out
    assert [one["number"] for one in owen("issue", "list", "--label", "drift", "--json", "number").json] == [
        int(number)
    ]
    owen("issue", "comment", number, "--body", "seen")
    shown = owen("issue", "view", number, "--comments").out
    assert "seen" in shown
    assert "of churn" in owen("issue", "view", number).out
    owen("issue", "close", number, "--reason", "not planned")
    closed = world.repo.issues[int(number)]
    assert (closed.state, closed.state_reason) == ("closed", "not_planned")


def test_a_locked_conversation_is_locked_and_unlocked(gh: Somebody, world: Sandbox, opened: int) -> None:
    rhea = gh("rhea")
    rhea("pr", "lock", str(opened), "--reason", "resolved")
    assert (world.repo.issues[opened].locked, world.repo.issues[opened].lock_reason) == (True, "resolved")
    rhea("pr", "unlock", str(opened))
    assert not world.repo.issues[opened].locked


# --- releases


def test_a_release_is_created_with_a_file_listed_viewed_and_downloaded(gh: Somebody, world: Sandbox) -> None:
    rhea = gh("rhea")
    (rhea.folder / "card.txt").write_text("churn\n")
    rhea("release", "create", "v1", "card.txt", "--title", "One", "--notes", "the first")
    assert world.hub.bare(world.repo).ref("refs/tags/v1")
    assert "One\tLatest\tv1" in rhea("release", "list").out
    assert "the first" in rhea("release", "view", "v1").out
    owen = gh("owen")
    owen("release", "download", "v1", "--dir", "got")
    assert (owen.folder / "got/card.txt").read_text() == "churn\n"
    owen("release", "download", "v1", "--archive", "zip", "--dir", "got")
    [archive] = (owen.folder / "got").glob("*.zip")
    assert any(name.endswith("README.md") for name in zipfile.ZipFile(archive).namelist())


def test_a_draft_is_seen_by_writers_only_and_published_later(gh: Somebody) -> None:
    rhea = gh("rhea")
    rhea("release", "create", "v2", "--draft", "--generate-notes")
    assert "Draft\tv2" in rhea("release", "list").out
    assert "v2" not in gh("rita")("release", "list").out
    rhea("release", "edit", "v2", "--draft=false")
    assert "## What's Changed" in rhea("release", "view", "v2").out
    rhea("release", "delete", "v2", "--yes")


# --- the rest


def test_secrets_are_set_and_listed_by_an_administrator(gh: Somebody, world: Sandbox) -> None:
    adam = gh("adam")
    adam("secret", "set", "TOKEN", "--body", "hidden")
    assert adam("secret", "list").out.startswith("TOKEN\t")
    assert world.repo.secrets["TOKEN"] == "hidden"
    assert "403" in gh("owen")("secret", "list", code=1).err


def test_api_pages_through_everything(gh: Somebody, world: Sandbox, opened: int) -> None:
    remote = world.github("owen").get_repo(world.repository).get_issue(opened)
    for index in range(5):
        remote.create_comment(f"comment {index}")
    path = f"repos/acme/models/issues/{opened}/comments?per_page=2"
    done = gh("owen")("api", "--paginate", path, "--jq", ".[].body")
    assert done.out.split("\n")[:5] == [f"comment {index}" for index in range(5)]


def test_api_pages_through_graphql(gh: Somebody, world: Sandbox, opened: int) -> None:
    remote = world.github("owen").get_repo(world.repository).get_issue(opened)
    for index in range(3):
        remote.create_comment(f"comment {index}")
    pull = f'repository(owner: "acme", name: "models") {{pullRequest(number: {opened}) {{'
    page = "comments(first: 1, after: $endCursor) {nodes {body} pageInfo {hasNextPage endCursor}}"
    query = f"query($endCursor: String) {{{pull}{page}}}}}}}"
    jq = ".data.repository.pullRequest.comments.nodes[].body"
    done = gh("owen")("api", "graphql", "--paginate", "-f", f"query={query}", "--jq", jq)
    assert done.out.split() == ["comment", "0", "comment", "1", "comment", "2"]


def test_search_finds_pull_requests(gh: Somebody, opened: int) -> None:
    found = gh("owen")("search", "prs", f"Model {opened}", "--repo", "acme/models", "--json", "number").json
    assert found == [{"number": opened}]
