"""What every Tracker port owes: only the bot's own threads, nothing written twice, no branch overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.git import LocalGit
from bot.adapters.github import GitHub
from bot.adapters.tracker import GitHubTracker
from bot.errors import UserError
from bot.ports import Tracker
from bot.sandbox.world import Sandbox
from tests.fakes.tracker import FakeTracker
from tests.sandboxes import small_sandbox

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with small_sandbox(tmp_path_factory.mktemp("tracker")) as started:
        started.github("owen").get_repo(started.repository).create_issue("owen's own", "<!-- mlbot -->")
        yield started


def real(sandbox: Sandbox) -> tuple[GitHubTracker, str]:
    """The bot's tracker, acting as a person so that no run is needed, and the default branch's commit."""
    git = LocalGit(sandbox.clone)
    sandbox.git("dana", "remote", "set-url", "origin", sandbox.clone_url("dana"))
    port = GitHub(api_url=sandbox.api_url, repository=sandbox.repository, token=sandbox.token("dana"), account=None)
    return GitHubTracker(port, git, "main"), git.resolve("HEAD")


@pytest.fixture(params=["fake", "github"])
def tracker(request: Any) -> tuple[Tracker, str]:
    if request.param == "fake":
        return FakeTracker(), "0" * 40
    return real(request.getfixturevalue("sandbox"))


def test_an_issue_is_opened_edited_in_place_and_closed_with_a_reason(tracker: tuple[Tracker, str]) -> None:
    port, _ = tracker
    made = port.open_issue("Drift", "<!-- x -->\nbody")
    port.edit(made.number, "Drift again", "<!-- x -->\nmore")
    (found,) = [one for one in port.own(LONG_AGO) if one.number == made.number]
    assert (found.title, found.body, found.state, found.is_pull_request) == (
        "Drift again", "<!-- x -->\nmore", "open", False,
    )  # fmt: skip
    port.close(made.number, "It is gone.")
    port.close(made.number, "It is gone.")
    states = {one.number: one.state for one in port.own(LONG_AGO)}
    assert states[made.number] == "closed"


def test_what_was_closed_before_is_not_asked_about(tracker: tuple[Tracker, str]) -> None:
    port, _ = tracker
    made = port.open_issue("Old", "body")
    port.close(made.number, "done")
    later = datetime.now(UTC) + timedelta(days=1)
    assert made.number not in {one.number for one in port.own(later)}


def test_threads_of_other_people_are_never_seen(sandbox: Sandbox) -> None:
    port, _ = real(sandbox)
    assert "owen's own" not in {one.title for one in port.own(LONG_AGO)}


def test_a_pull_request_is_opened_from_a_commit_of_its_own(tracker: tuple[Tracker, str]) -> None:
    port, base = tracker
    files = {"models/b.txt": b"new\n"}
    made = port.open_pull_request("retrain/a", base, files, "Retrain", "Retrain a", "why")
    assert made.is_pull_request and made.state == "open"
    (found,) = [one for one in port.own(LONG_AGO) if one.number == made.number]
    assert (found.title, found.is_pull_request) == ("Retrain a", True)


def test_a_branch_that_holds_something_else_is_not_overwritten(tracker: tuple[Tracker, str]) -> None:
    port, base = tracker
    port.open_pull_request("retrain/b", base, {"models/c.txt": b"1"}, "Retrain", "Retrain b", "why")
    with pytest.raises(UserError) as caught:
        port.open_pull_request("retrain/b", base, {"models/c.txt": b"2"}, "Retrain", "Retrain b", "why")
    assert caught.value.code == "branch_taken"


def test_the_commit_is_attributed_to_who_opens_the_pull_request(sandbox: Sandbox) -> None:
    """The policy blocks commits that GitHub cannot attribute."""
    port, base = real(sandbox)
    made = port.open_pull_request("retrain/c", base, {"models/d.txt": b"1"}, "Retrain", "Retrain c", "why")
    pull = sandbox.github("dana").get_repo(sandbox.repository).get_pull(made.number)
    (commit,) = pull.get_commits()
    assert commit.author.id == commit.committer.id == pull.user.id


def test_closing_twice_writes_once() -> None:
    port = FakeTracker()
    made = port.open_issue("x", "y")
    port.edit(made.number, "x", "y")
    port.close(made.number, "a")
    port.close(made.number, "b")
    assert port.writes == ["open 1", "close 1"] and port.said == {1: "a"}


def test_equal_words_write_nothing(sandbox: Sandbox) -> None:
    port, _ = real(sandbox)
    made = port.open_issue("Same", "words")
    before = [one for one in sandbox.requests() if one[0] != "GET"]
    port.edit(made.number, "Same", "words")
    assert [one for one in sandbox.requests() if one[0] != "GET"] == before


def test_a_repository_without_issues_says_where_to_switch_them_on(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from github import GithubException

    def gone(*_: object) -> None:
        raise GithubException(410, {"message": "Issues has been disabled in this repository."})

    port, _ = real(sandbox)
    monkeypatch.setattr(port._github, "_ask", gone)
    with pytest.raises(UserError, match="switched off") as caught:
        port.open_issue("x", "y")
    assert caught.value.code == "issues_off"


def test_a_change_that_was_pushed_before_the_job_died_is_opened_by_the_next_one(tracker: tuple[Tracker, str]) -> None:
    """The same change on the same commit is the same commit: the push is not refused."""
    port, base = tracker
    files = {"models/e.txt": b"1"}
    if isinstance(port, FakeTracker):
        port.commits["retrain/d"] = dict(files)
    else:
        assert isinstance(port, GitHubTracker)
        port._push("retrain/d", port._committed(base, files, "Retrain"))
    assert port.open_pull_request("retrain/d", base, files, "Retrain", "Retrain d", "why").state == "open"
