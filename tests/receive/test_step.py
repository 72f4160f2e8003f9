"""GitHub's own example payloads, and what each of them means."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.receive.events import EVENTS
from bot.receive.step import receive
from bot.records.event import (
    CommentChanged,
    CommentCreated,
    Dispatched,
    Ignored,
    MergeGroupRequested,
    PullRequestChanged,
    Pushed,
    ReviewChanged,
)

PAYLOADS = Path(__file__).parent.parent / "payloads"


def example(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return loaded


def changed(name: str, **paths: Any) -> bytes:
    """The example with some values replaced; `a__b` stands for the path a.b."""
    content = copy.deepcopy(example(name))
    for path, value in paths.items():
        *way, last = path.split("__")
        place = content
        for key in way:
            place = place.setdefault(key, {})
        place[last] = value
    return json.dumps(content).encode()


def comment(**paths: Any) -> bytes:
    return changed("issue_comment.created", **{"issue__pull_request": {}, **paths})


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("pull_request.opened", "pull_request_changed"),
        ("pull_request.synchronize", "pull_request_changed"),
        ("pull_request.ready_for_review", "pull_request_changed"),
        ("pull_request.closed", "ignored"),
        ("issue_comment.created", "ignored"),  # GitHub's example is a comment on an issue
        ("issue_comment.edited", "ignored"),
        ("issue_comment.deleted", "ignored"),
        ("pull_request_review.submitted", "review_changed"),
        ("pull_request_review.dismissed", "review_changed"),
        ("push", "pushed"),
        ("push.tag", "ignored"),
        ("push.deleted", "ignored"),
        ("merge_group.checks_requested", "ignored"),  # the run of `merge-group` that it starts is what counts
        ("workflow_run.completed", "ignored"),  # GitHub's example is not a run of `review`
        ("workflow_dispatch", "dispatched"),
        ("ping", "ignored"),
    ],
)
def test_github_examples(file: str, kind: str) -> None:
    event = receive(file.split(".")[0], json.dumps(example(file)).encode(), "promote")
    assert event.kind == kind


def test_a_pull_request_is_read_the_same_from_both_triggers() -> None:
    data = changed("pull_request.opened", pull_request__head__sha="a" * 40)
    event = receive("pull_request_target", data, "pull-request")
    assert event == receive("pull_request", data, "pull-request")
    assert isinstance(event, PullRequestChanged)
    assert (event.number, event.head_sha, event.base_ref, event.from_fork) == (2, "a" * 40, "master", False)


@pytest.mark.parametrize("head", [None, {"id": 1}])
def test_another_or_a_deleted_head_repository_is_a_fork(head: Any) -> None:
    event = receive("pull_request_target", changed("pull_request.opened", pull_request__head__repo=head), "")
    assert isinstance(event, PullRequestChanged) and event.from_fork


def test_retargeting_counts_and_rewording_does_not() -> None:
    words = changed("pull_request.opened", action="edited", changes={"title": {"from": "x"}})
    base = changed("pull_request.opened", action="edited", changes={"base": {"ref": {"from": "dev"}}})
    assert isinstance(receive("pull_request_target", words, ""), Ignored)
    assert isinstance(receive("pull_request_target", base, ""), PullRequestChanged)


@pytest.mark.parametrize(
    "paths",
    [
        {"action": "deleted", "comment__body": "please\r\n/approve"},
        {"action": "edited", "comment__body": "/approve"},
        {"action": "edited", "comment__body": "never mind", "changes": {"body": {"from": "/approve"}}},
        {"action": "deleted", "comment__body": "/hold", "sender__id": 99},
    ],
)
def test_words_that_were_changed_are_news_whoever_changed_them(paths: dict[str, Any]) -> None:
    event = receive("issue_comment", comment(**paths), "reviewed")
    assert isinstance(event, CommentChanged) and event.number == 1


def test_a_comment_of_a_person_on_a_pull_request_is_taken() -> None:
    event = receive("issue_comment", comment(comment__body="/status"), "chatops")
    assert isinstance(event, CommentCreated)
    assert (event.number, event.body, event.author.login) == (1, "/status", "Codertocat")


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        ({"action": "edited"}, "comment changed that holds no command"),
        ({"action": "deleted"}, "comment changed that holds no command"),
        ({"action": "edited", "comment__body": "/approve", "comment__user__type": "Bot"}, "comment by a bot"),
        ({"comment__user__type": "Bot"}, "comment by a bot"),
        ({"comment__user__type": "Mannequin"}, "comment by a bot"),
        ({"comment__user__type": None}, "comment by a bot"),
        ({"sender__id": 99}, "comment sent by another account than its author"),
    ],
)
def test_comments_that_never_act(paths: dict[str, Any], reason: str) -> None:
    assert receive("issue_comment", comment(**paths), "chatops") == Ignored(reason=reason)


def test_the_bot_does_not_wake_itself_by_writing_its_ledger() -> None:
    assert isinstance(receive("push", changed("push", ref="refs/heads/mlbot/ledger"), ""), Ignored)
    assert isinstance(receive("push", changed("push", ref="refs/heads/main"), ""), Pushed)


def review_run(**paths: Any) -> bytes:
    run = {"workflow_run__name": "review", "workflow_run__event": "pull_request_review", **paths}
    return changed("workflow_run.completed", **run)


@pytest.mark.parametrize(
    ("listed", "number"),
    [
        ([], None),
        ([{"number": 7}], 7),
        ([{"number": 7}, {"number": 8}], None),
        ([{"number": "7"}], None),
        ("x", None),
        (None, None),
    ],
)
def test_a_review_run_names_its_commit_and_at_most_one_pull_request(listed: Any, number: int | None) -> None:
    event = receive("workflow_run", review_run(workflow_run__pull_requests=listed), "reviewed")
    assert isinstance(event, ReviewChanged)
    assert event.number == number and event.head_sha == "5779607b49aab1200488439f02372c57b4f75444"


@pytest.mark.parametrize(
    "paths", [{"workflow_run__name": "ci"}, {"workflow_run__event": "push"}, {"action": "requested"}]
)
def test_runs_of_other_workflows_are_ignored(paths: dict[str, Any]) -> None:
    assert isinstance(receive("workflow_run", review_run(**paths), "reviewed"), Ignored)


def group_run(**paths: Any) -> bytes:
    run = {"workflow_run__name": "merge-group", "workflow_run__event": "merge_group"}
    run |= {"workflow_run__head_branch": "gh-readonly-queue/main/pr-7-" + "a" * 40}
    return changed("workflow_run.completed", **run | paths)


def test_a_run_for_the_merge_queue_names_the_commit_of_the_group() -> None:
    event = receive("workflow_run", group_run(workflow_run__head_sha="b" * 40), "reviewed")
    assert isinstance(event, MergeGroupRequested) and event.head_sha == "b" * 40


@pytest.mark.parametrize(
    "paths",
    [
        {"workflow_run__name": "review"},
        {"workflow_run__name": {}},
        {"workflow_run__event": "push"},
        {"workflow_run__event": ["merge_group"]},
        {"workflow_run__head_branch": "change"},
        {"action": "requested"},
    ],
)
def test_no_other_run_is_taken_for_the_merge_queue(paths: dict[str, Any]) -> None:
    """A branch may hold a workflow of any name; the event and the queue's own branch it cannot choose."""
    assert isinstance(receive("workflow_run", group_run(**paths), "reviewed"), Ignored)


def test_dispatch_inputs_are_text() -> None:
    data = changed("workflow_dispatch", inputs={"number": 7, "force": True, "model": "churn", "reason": None})
    event = receive("workflow_dispatch", data, "promote")
    assert isinstance(event, Dispatched)
    assert event.inputs == {"number": "7", "force": "true", "model": "churn"} and event.workflow == "promote"


def test_an_unknown_event_is_ignored_with_its_name() -> None:
    event = receive("fork", b"{}", "")
    assert isinstance(event, Ignored) and "fork" in event.reason


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("push", b"\xff\xfe"),
        ("push", b""),
        ("push", b"[]"),
        ("push", b"[" * 100_000),
        ("pull_request_target", changed("pull_request.opened", pull_request__head__sha="deadbeef")),
        ("pull_request_target", changed("pull_request.opened", pull_request__number=True)),
        ("pull_request_target", changed("pull_request.opened", pull_request__draft="yes")),
        ("issue_comment", comment(comment__id=-1)),
        ("issue_comment", comment(comment__user__login="x\n::set-output name=a::b")),
        ("issue_comment", comment(comment__body=None)),
        ("workflow_dispatch", changed("workflow_dispatch", inputs={"a": {"b": 1}})),
        ("schedule", b"{}"),
    ],
)
def test_a_malformed_payload_is_refused_with_the_place(name: str, data: bytes) -> None:
    with pytest.raises(UserError, match=name) as caught:
        receive(name, data, "")
    assert caught.value.code == "payload_invalid" and caught.value.hint


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(EVENTS)), st.data())
def test_no_payload_whatever_crashes_the_door(name: str, data: st.DataObject) -> None:
    """Any value in any place of a real payload gives an Event or a UserError."""
    files = [path for path in sorted(PAYLOADS.iterdir()) if path.name.startswith(name.removesuffix("_target") + ".")]
    content = json.loads(files[0].read_text()) if files else {"schedule": "0 * * * *"}
    place = content
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(json_values)
    try:
        receive(name, json.dumps(content).encode(), "promote")
    except UserError as error:
        assert error.code == "payload_invalid"
