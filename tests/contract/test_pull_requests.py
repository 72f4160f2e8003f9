"""What every PullRequests port owes: a pull request as it is, what people said in order, and roles by account id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.adapters.github import GitHub
from bot.errors import UserError
from bot.ports import Comment, Commit, Merge, PullRequest, PullRequests, Review, Sibling, TimelineEvent
from bot.records.event import Account
from bot.sandbox.world import Sandbox
from tests.fakes.conversation import NOW
from tests.fakes.pull_requests import FakePullRequests
from tests.sandboxes import small_sandbox

DANA, OWEN = Account(id=1001, login="dana"), Account(id=1002, login="owen")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """#1 of dana's is open and talked about; #2 is merged."""
    with small_sandbox(tmp_path_factory.mktemp("pulls")) as started:
        started.propose("dana", "change", {"models/a.txt": b"two\n"}, "Change")
        started.commit("dana", "change", {"models/a.txt": b"three\n"}, "More")
        started.propose("dana", "merged", {"models/b.txt": b"two\n"}, "Merged")
        owen = started.github("owen").get_repo(started.repository)
        pull = owen.get_pull(1)
        pull.create_issue_comment("one")
        pull.create_issue_comment("two")
        pull.create_review(owen.get_commit(pull.head.sha), "good", "APPROVE")
        pull.create_review(owen.get_commit(pull.head.sha), "no, wait", "REQUEST_CHANGES")
        owen.get_pull(2).merge()
        _life(started)
        yield started


def _life(started: Sandbox) -> None:
    """#3: approved, objected to, both dismissed by dana; comments edited, deleted; another base, closed, reopened."""
    started.propose("dana", "other", {"models/c.txt": b"two\n"}, "Base")
    started.propose("dana", "third", {"models/d.txt": b"two\n"}, "Third")
    message = "More\n\nCo-authored-by: Owen <owen@corp.example>\nCo-authored-by: X <x@nobody.example>"
    started.commit("dana", "third", {"models/d.txt": b"three\n"}, message)
    owen, dana = (started.github(login).get_repo(started.repository) for login in ("owen", "dana"))
    pull = owen.get_pull(4)
    for event in ("APPROVE", "REQUEST_CHANGES"):
        dana.get_pull(4).get_review(pull.create_review(owen.get_commit(pull.head.sha), "so", event).id).dismiss("no")
    pull.create_issue_comment("/reject --reason leak").edit("fine")
    for repository in (owen, dana):
        repository.get_issue(4).get_comment(pull.create_issue_comment("gone").id).delete()
    dana.get_pull(4).edit(base="other")
    dana.get_pull(4).edit(state="closed")
    dana.get_pull(4).edit(state="open")
    started.propose("dana", "same", {"models/e.txt": b"two\n"}, "Same")
    for branch, base in (("again", "main"), ("elsewhere", "other"), ("closed", "main")):
        owen.create_git_ref(f"refs/heads/{branch}", owen.get_branch("same").commit.sha)
        made = owen.create_pull(base=base, head=branch, title="Again", body="")
    made.edit(state="closed")


def fake() -> FakePullRequests:
    """The same story, told by a test."""
    heads = ("1" * 40, "2" * 40)
    pulls = {
        1: PullRequest(
            1, "Change", DANA, "open", False, False, heads[1], "change", "main", "0" * 40, False, None
        ),
        2: PullRequest(
            2, "Merged", DANA, "closed", False, True, "3" * 40, "merged", "main", "0" * 40, False, "4" * 40,
            merged_by=OWEN,
        ),
    }  # fmt: skip
    commits = [
        Commit(heads[0], ("0" * 40,), DANA, DANA, "dana@example.com", "Change"),
        Commit(heads[1], (heads[0],), DANA, DANA, "dana@example.com", "More"),
    ]
    comments = [Comment(index, OWEN, text, NOW, NOW) for index, text in enumerate(("one", "two"), 1)]
    reviews = [
        Review(1, OWEN, "APPROVED", heads[1], NOW, "good"),
        Review(2, OWEN, "CHANGES_REQUESTED", heads[1], NOW, "no, wait"),
    ]
    pulls[4] = PullRequest(4, "Third", DANA, "open", False, False, "5" * 40, "third", "other", "0" * 40, False, None)
    pulls[3] = PullRequest(3, "Base", DANA, "open", False, False, "6" * 40, "other", "main", "0" * 40, False, None)
    edited = Comment(3, OWEN, "fine", NOW, NOW + timedelta(seconds=1), earlier=("/reject --reason leak",), editor=OWEN)
    timeline = [
        TimelineEvent("review_dismissed", NOW, DANA, 3, "APPROVED"),
        TimelineEvent("review_dismissed", NOW, DANA, 4, "CHANGES_REQUESTED"),
        TimelineEvent("comment_deleted", NOW, OWEN, about=OWEN),
        TimelineEvent("comment_deleted", NOW, DANA, about=OWEN),
        TimelineEvent("base_changed", NOW, DANA),
        TimelineEvent("closed", NOW, DANA),
    ]
    pulls[5] = PullRequest(
        5, "Same", DANA, "open", False, False, "7" * 40, "same", "main", "0" * 40, False, None,
        siblings=(Sibling(6, OWEN),),
    )  # fmt: skip
    pulls[6] = replace(pulls[5], number=6, author=OWEN, siblings=(Sibling(5, DANA),))
    pulls[7] = replace(pulls[5], number=7, author=OWEN, base_ref="other", siblings=())
    known = (("dana@example.com", DANA.id), ("owen@corp.example", OWEN.id))
    named = Commit("5" * 40, ("0" * 40,), DANA, DANA, "dana@example.com", "More", known=known)
    dismissed = [Review(number, OWEN, "DISMISSED", "5" * 40, NOW, "so") for number in (3, 4)]
    merge = [TimelineEvent("merged", NOW, OWEN), TimelineEvent("closed", NOW, OWEN)]
    roles = {"owen": (1002, "write"), "rhea": (1004, "maintain")}
    return FakePullRequests(
        pulls, {1: commits, 4: [named]}, {1: comments, 4: [edited]}, {1: reviews, 4: dismissed}, roles,
        timeline_of={2: merge, 4: timeline}, merges=[Merge(2, "3" * 40, "4" * 40, NOW)],
    )  # fmt: skip


@pytest.fixture(params=["fake", "github"])
def port(request: Any) -> PullRequests:
    if request.param == "fake":
        return fake()
    world: Sandbox = request.getfixturevalue("sandbox")
    return GitHub(api_url=world.api_url, repository=world.repository, token=world.token("dana"), account=None)


def test_a_pull_request_is_told_as_it_is(port: PullRequests) -> None:
    one, two = port.get(1), port.get(2)
    assert (one.title, one.author.id, one.state, one.merged) == ("Change", DANA.id, "open", False)
    assert (one.head_ref, one.base_ref, one.from_fork, one.merge_commit_sha) == ("change", "main", False, None)
    assert (two.state, two.merged, two.merged_by and two.merged_by.id) == ("closed", True, OWEN.id)
    assert two.merge_commit_sha is not None


def test_another_open_one_with_the_same_head_and_base_is_told(port: PullRequests) -> None:
    assert port.get(5).siblings == (Sibling(6, OWEN),) and port.get(6).siblings == (Sibling(5, DANA),)
    assert port.get(1).siblings == port.get(2).siblings == ()


def test_one_that_is_not_there_is_a_clear_error(port: PullRequests) -> None:
    with pytest.raises(UserError) as caught:
        port.get(99)
    assert caught.value.code == "not_found"


def test_only_open_ones_are_listed_as_open(port: PullRequests) -> None:
    assert sorted(port.open_numbers()) == [1, 3, 4, 5, 6, 7]


def test_what_was_merged_is_listed_with_its_head_and_the_commit_that_it_became(port: PullRequests) -> None:
    (merge,) = port.merged(NOW - timedelta(days=1))
    two = port.get(2)
    assert (merge.number, merge.head_sha, merge.commit) == (2, two.head_sha, two.merge_commit_sha)
    assert port.merged(merge.at) == [merge] and port.merged(merge.at + timedelta(seconds=1)) == []


def test_commits_are_oldest_first_and_end_at_the_head(port: PullRequests) -> None:
    commits = port.commits(1)
    assert [one.message for one in commits] == ["Change", "More"]
    assert commits[-1].sha == port.get(1).head_sha and commits[1].parents == (commits[0].sha,)
    assert {one.author.id for one in commits if one.author} == {DANA.id}


def test_a_commit_leads_to_its_pull_request(port: PullRequests) -> None:
    assert port.for_commit(port.get(1).head_sha) == [1]


def test_what_was_said_lately_is_listed_with_its_pull_request_and_who_has_a_thumb(port: PullRequests) -> None:
    found = [one for one in port.said(NOW - timedelta(days=1)) if one.number == 1]
    assert [(one.comment.author.id, one.comment.body) for one in found] == [(OWEN.id, "one"), (OWEN.id, "two")]
    assert not any(one.has_thumb or one.is_own for one in found)
    assert port.said(found[-1].comment.created_at + timedelta(hours=1)) == []


def test_comments_and_reviews_are_oldest_first_by_account(port: PullRequests) -> None:
    assert [(one.author.id, one.body) for one in port.comments(1)] == [(OWEN.id, "one"), (OWEN.id, "two")]
    reviews = port.reviews(1)
    assert [(one.author.id, one.state) for one in reviews] == [(OWEN.id, "APPROVED"), (OWEN.id, "CHANGES_REQUESTED")]
    assert {one.commit_sha for one in reviews} == {port.get(1).head_sha}


def test_a_role_is_that_of_the_account_whatever_it_was_called_then(port: PullRequests) -> None:
    rhea = Account(id=1004, login="rhea-was-called-otherwise")
    assert port.permissions([OWEN, rhea]) == {1002: "write", 1004: "maintain"}
    assert port.permissions([]) == {}


def test_somebody_who_is_gone_has_no_role_and_keeps_nobody_else_back(port: PullRequests) -> None:
    gone, heir = Account(id=5555, login="nobody-at-all"), Account(id=5556, login="owen")
    assert port.permissions([gone, OWEN, heir]) == {5555: "none", 1002: "write", 5556: "none"}


def test_a_login_leads_to_its_account_or_to_nobody(port: PullRequests) -> None:
    found = port.account("Owen")
    assert found is not None and (found.id, found.kind) == (1002, "User")
    assert port.account("nobody-at-all") is None


def test_the_timeline_tells_who_closed_retargeted_merged_dismissed_and_deleted_what(port: PullRequests) -> None:
    told = [(one.kind, one.actor and one.actor.id, one.review_state or one.about) for one in port.timeline(4)]
    assert told == [
        ("review_dismissed", DANA.id, "APPROVED"),
        ("review_dismissed", DANA.id, "CHANGES_REQUESTED"),
        ("comment_deleted", OWEN.id, OWEN),
        ("comment_deleted", DANA.id, OWEN),
        ("base_changed", DANA.id, None),
        ("closed", DANA.id, None),
    ]
    assert [one.review_id for one in port.timeline(4)][:2] == [one.id for one in port.reviews(4)]
    assert [one.kind for one in port.timeline(2)] == ["merged", "closed"] and port.timeline(1) == []


def test_an_edited_comment_comes_with_what_it_said_before_and_who_edited_it(port: PullRequests) -> None:
    comment = port.comments(4)[0]
    assert (comment.body, comment.earlier, comment.editor) == ("fine", ("/reject --reason leak",), OWEN)
    assert (port.comments(1)[0].earlier, port.comments(1)[0].editor) == ((), None)
    assert comment.is_edited and not port.comments(1)[0].is_edited


def test_whose_the_addresses_in_trailers_are_as_github_says(port: PullRequests) -> None:
    known = dict(port.commits(4)[-1].known)
    assert known["owen@corp.example"] == OWEN.id and "x@nobody.example" not in known
    assert [one.known for one in port.commits(1)] == [(), ()]
