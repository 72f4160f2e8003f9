"""Issue events and timelines over REST: the same lists that GitHub shows; what a lock refuses."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.hub import Happening
from bot.sandbox.world import Sandbox
from tests.sandbox.conftest import Caller

MODEL = "models/churn/model.yaml"


@pytest.fixture
def number(world: Sandbox) -> int:
    """An open pull request of dana's."""
    return world.propose("dana", "deeper", {MODEL: b"depth: 4\n"}, "Deeper trees")


def words(answer: tuple[int, Any]) -> list[str]:
    status, body = answer
    assert status == 200, body
    return [one["event"] for one in body]


def run(world: Sandbox, **permissions: str) -> Caller:
    return Caller(world, world.hub.mint({name.replace("_", "-"): level for name, level in permissions.items()}, 77))


def test_a_timeline_has_commits_comments_and_reviews_among_the_events(world: Sandbox, call: Any, number: int) -> None:
    """What was said stands beside what was done, in order; a list of events has what was done only."""
    dana, rhea = call("dana"), call("rhea")
    rhea("POST", f"/issues/{number}/comments", {"body": "why?"})
    world.commit("dana", "deeper", {MODEL: b"depth: 5\n"}, "deeper still")
    rhea("POST", f"/pulls/{number}/reviews", {"event": "APPROVE"})
    rhea("POST", f"/issues/{number}/labels", {"labels": ["risk: high"]})
    dana("PATCH", f"/pulls/{number}", {"title": "Deeper"})
    shown = words(dana("GET", f"/issues/{number}/timeline"))
    assert shown == ["committed", "commented", "committed", "reviewed", "labeled", "renamed"]
    assert words(dana("GET", f"/issues/{number}/events")) == ["labeled", "renamed"]
    assert words(dana("GET", "/issues/events")) == ["renamed", "labeled"]


def test_a_force_push_takes_its_commits_out_of_the_timeline(world: Sandbox, call: Any, number: int) -> None:
    """Of commits that are no longer in the pull request, only the force-push tells."""
    world.git("dana", "fetch", "-q", "origin")
    world.git("dana", "checkout", "-q", "-B", "w", "origin/main")
    world.git("dana", "commit", "-q", "--allow-empty", "-m", "anew")
    world.git("dana", "push", "-q", world.clone_url("dana"), "+w:refs/heads/deeper")
    _, shown = call("dana")("GET", f"/issues/{number}/timeline")
    assert [one["event"] for one in shown] == ["head_ref_force_pushed", "committed"]
    assert shown[0]["commit_id"] == shown[1]["sha"]
    assert shown[1]["message"] == "anew"


def test_a_new_base_is_in_the_events_and_not_in_the_timeline(world: Sandbox, call: Any, number: int) -> None:
    """As GitHub's page on issue event types has it; whoever reads only the timeline misses it."""
    world.git("dana", "push", "-q", world.clone_url("dana"), "HEAD:refs/heads/layer")
    call("dana")("PATCH", f"/pulls/{number}", {"base": "layer"})
    assert words(call("dana")("GET", f"/issues/{number}/events")) == ["base_ref_changed"]
    assert words(call("dana")("GET", f"/issues/{number}/timeline")) == ["committed"]


def test_lists_come_in_pages_and_single_events_by_number(world: Sandbox, call: Any, number: int) -> None:
    dana = call("dana")
    for title in ("a", "b", "c"):
        dana("PATCH", f"/pulls/{number}", {"title": title})
    _, page = dana("GET", f"/issues/{number}/events?per_page=2&page=2")
    assert [one["rename"]["to"] for one in page] == ["c"]
    _, single = dana("GET", f"/issues/events/{page[0]['id']}")
    assert (single["rename"], single["issue"]["number"]) == (page[0]["rename"], number)
    assert dana("GET", "/issues/events/1")[0] == 404


def test_a_commit_message_that_names_an_issue_refers_to_it(world: Sandbox, call: Any, number: int) -> None:
    """A pushed commit does, the commit that merges a pull request does not refer to that one."""
    _, issue = call("dana")("POST", "/issues", {"title": "Drift"})
    sha = world.commit("dana", "deeper", {MODEL: b"depth: 5\n"}, f"Deeper, for #{issue['number']}")
    call("owen")("PUT", f"/pulls/{number}/merge", {})
    (seen,) = call("dana")("GET", f"/issues/{issue['number']}/events")[1]
    assert (seen["event"], seen["commit_id"], seen["actor"]["login"]) == ("referenced", sha, "dana")
    assert words(call("dana")("GET", f"/issues/{number}/events")) == ["merged", "closed"]


def test_names_and_numbers_in_a_text_are_noted(world: Sandbox, call: Any, number: int) -> None:
    """Whoever reads a timeline meets events that are nothing to them."""
    _, issue = call("dana")("POST", "/issues", {"title": "Drift", "body": f"see #{number} and #{number}, @owen"})
    assert words(call("dana")("GET", f"/issues/{number}/timeline")) == ["committed", "cross-referenced"]
    assert words(call("dana")("GET", f"/issues/{issue['number']}/timeline")) == ["mentioned", "subscribed"]


@pytest.mark.parametrize(
    ("who", "comment", "review"),
    [("owen", 201, 200), ("rita", 403, 422), ("run", 403, 422)],
)
def test_a_lock_lets_only_those_speak_who_may_push(
    world: Sandbox, call: Any, number: int, who: str, comment: int, review: int
) -> None:
    """A reader and a workflow's token are told that the conversation is locked."""
    speaker = run(world, issues="write", pull_requests="write") if who == "run" else call(who)
    assert call("rhea")("PUT", f"/issues/{number}/lock", {"lock_reason": "resolved"})[0] == 204
    got, said = speaker("POST", f"/issues/{number}/comments", {"body": "hello"})
    assert got == comment
    if got == 403:
        assert said["message"] == "Unable to create comment because issue is locked."
    got, said = speaker("POST", f"/pulls/{number}/reviews", {"event": "COMMENT", "body": "hm"})
    assert got == review
    if got == 422:
        assert said["errors"] == ["lock prevents review"]


def test_nobody_reacts_in_a_locked_conversation(world: Sandbox, call: Any, number: int) -> None:
    _, comment = call("rhea")("POST", f"/issues/{number}/comments", {"body": "enough"})
    call("rhea")("PUT", f"/issues/{number}/lock")
    path = f"/issues/comments/{comment['id']}/reactions"
    for speaker in (call("rhea"), run(world, issues="write")):
        assert speaker("POST", path, {"content": "eyes"})[0] == 403
    call("rhea")("DELETE", f"/issues/{number}/lock")
    assert call("rita")("POST", path, {"content": "eyes"})[0] == 201


def test_a_lock_is_seen_with_its_reason_and_by_writers_with_its_maker(
    world: Sandbox, call: Any, number: int, happenings: list[Happening]
) -> None:
    """Readers learn that it was locked, not by whom."""
    assert call("rhea")("PUT", f"/issues/{number}/lock", {"lock_reason": "boring"})[0] == 422
    assert call("rita")("PUT", f"/issues/{number}/lock")[0] == 403
    call("rhea")("PUT", f"/issues/{number}/lock", {"lock_reason": "too heated"})
    call("rhea")("PUT", f"/issues/{number}/lock", {"lock_reason": "spam"})
    _, pull = call("dana")("GET", f"/pulls/{number}")
    assert (pull["locked"], pull["active_lock_reason"]) == (True, "too heated")
    (seen,) = call("dana")("GET", f"/issues/{number}/events")[1]
    assert (seen["event"], seen["lock_reason"], seen["actor"]["login"]) == ("locked", "too heated", "rhea")
    assert call("rita")("GET", f"/issues/{number}/events")[1][0]["actor"] is None
    assert [one.action for one in happenings if one.event == "pull_request"][-1] == "locked"
