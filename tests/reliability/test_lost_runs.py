"""A run is cancelled, lost, or never started by GitHub: what it would have written is true all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.sandbox.world import Sandbox
from tests.reliability.conftest import TUNED
from tests.reliability.recorded import given
from tests.stories.world import NOTES, approve_by_review, live, merge, say, verdict

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]


def pull(sandbox: Sandbox, login: str, number: int = NOTES):  # type: ignore[no-untyped-def]
    """A pull request as somebody sees it."""
    return sandbox.github(login).get_repo(sandbox.repository).get_pull(number)


def reconciled(sandbox: Sandbox) -> None:
    sandbox.schedule("reconcile.yml")
    sandbox.settle()


def empty_commit(sandbox: Sandbox, login: str, branch: str) -> None:
    """Somebody pushes a commit that changes nothing, so no digest moves."""
    desk = sandbox.directory / "people" / login
    sandbox.git(login, "remote", "set-url", "origin", sandbox.clone_url(login), cwd=desk)
    sandbox.git(login, "fetch", "-q", "origin", cwd=desk)
    sandbox.git(login, "checkout", "-q", "-B", branch, f"origin/{branch}", cwd=desk)
    sandbox.git(login, "commit", "-q", "--allow-empty", "-m", "Start again", cwd=desk)
    sandbox.git(login, "push", "-q", "origin", f"HEAD:{branch}", cwd=desk)


# --- what makes approvals void


def reopened(sandbox: Sandbox) -> None:
    pull(sandbox, "rhea").edit(state="closed")
    pull(sandbox, "dana").edit(state="open")


def and_pushes(sandbox: Sandbox) -> None:
    empty_commit(sandbox, "dana", "notes")


def and_plans(sandbox: Sandbox) -> None:
    pull(sandbox, "dana").create_issue_comment("/plan")


@pytest.mark.parametrize(
    "then",
    [
        lambda sandbox: None,
        and_pushes,
        and_plans,
    ],
    ids=["and waits", "and pushes", "and plans"],
)
def test_closing_and_reopening_voids_what_was_approved_whatever_the_author_does_next(
    sandbox: Sandbox, then: Callable[[Sandbox], None]
) -> None:
    reopened(sandbox)
    then(sandbox)
    sandbox.settle()
    assert verdict(sandbox, NOTES) == "pending"


@pytest.fixture
def stacked(sandbox: Sandbox) -> int:
    """An approved pull request onto another one's branch."""
    number = sandbox.propose("dana", "second", {"docs/second.md": b"second\n"}, "Second layer", base="notes")
    sandbox.settle()
    approve_by_review(sandbox, "owen", number)
    statuses = pull(sandbox, "dana", number).get_commits()[0].get_combined_status().statuses
    given(any("mlbot/verdict" in one.context and one.state == "success" for one in statuses), "a green second layer")
    return number


def test_another_base_voids_what_was_approved_although_a_push_follows(sandbox: Sandbox, stacked: int) -> None:
    pull(sandbox, "dana", stacked).edit(base="main")
    empty_commit(sandbox, "dana", "second")
    sandbox.settle()
    assert verdict(sandbox, stacked) == "pending"


def test_another_base_voids_what_was_approved_although_the_event_was_lost(sandbox: Sandbox, stacked: int) -> None:
    sandbox.engine.enabled = False
    pull(sandbox, "dana", stacked).edit(base="main")
    sandbox.settle()
    sandbox.engine.enabled = True
    reconciled(sandbox)
    assert verdict(sandbox, stacked) == "pending"


# --- what takes an approval back


def labelled(sandbox: Sandbox) -> None:
    pull(sandbox, "rhea").add_to_labels("risk: high")


def dismissed(sandbox: Sandbox) -> None:
    next(iter(pull(sandbox, "rhea").get_reviews())).dismiss("not now")


@pytest.mark.parametrize("taken_back", [labelled, dismissed])
def test_what_takes_an_approval_back_is_judged_at_once(sandbox: Sandbox, taken_back: Callable[[Sandbox], None]) -> None:
    taken_back(sandbox)
    sandbox.settle()
    assert verdict(sandbox, NOTES) == "pending"


@pytest.mark.parametrize("act", ["edit", "delete"])
def test_an_approval_whose_words_are_gone_is_judged_at_once(sandbox: Sandbox, act: str) -> None:
    number = sandbox.propose("dana", "more", {"docs/more.md": b"more\n"}, "More")
    sandbox.settle()
    seen = pull(sandbox, "owen", number)
    comment = seen.create_issue_comment(f"/approve {seen.head.sha}")
    sandbox.settle()
    given(verdict(sandbox, number) == "success", "approved by the comment")
    comment.edit("never mind") if act == "edit" else comment.delete()
    sandbox.settle()
    assert verdict(sandbox, number) != "success"


# --- a promotion whose run was lost


@pytest.mark.parametrize("others", [0, 1])
def test_a_lost_promotion_is_made_up_for_however_many_merges_follow(releasing: Sandbox, others: int) -> None:
    releasing.engine.enabled = False
    merge(releasing, "rhea", TUNED)
    releasing.engine.enabled = True
    for _ in range(others):
        merge(releasing, "rhea", NOTES)
    reconciled(releasing)
    assert live(releasing) == ["staging/bike-rentals/release.json"]


def test_a_command_and_a_loss_of_everything_else_leave_the_verdict_right(sandbox: Sandbox) -> None:
    """The control: a hold whose run was lost blocks after the next reconcile."""
    sandbox.engine.enabled = False
    say(sandbox, "vera", NOTES, "/hold --reason a complaint")
    sandbox.engine.enabled = True
    reconciled(sandbox)
    assert verdict(sandbox, NOTES) != "success"
