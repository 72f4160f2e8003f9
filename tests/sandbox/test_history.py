"""What happened to a pull request is kept in GitHub's words, whichever way it happened."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox import history
from bot.sandbox.world import Sandbox

MODEL = "models/churn/model.yaml"


@pytest.fixture
def number(world: Sandbox) -> int:
    """An open pull request of dana's."""
    return world.propose("dana", "deeper", {MODEL: b"depth: 4\n"}, "Deeper trees")


def told(world: Sandbox, number: int) -> list[str]:
    """What happened, without where it began: `kind by actor`, and to whom."""
    found = history.events_of(world.repo, number)
    about = [f"{one.kind} by {one.actor}" + (f" about {one.about}" if one.about else "") for one in found]
    return [line for line in about if not line.startswith("opened")]


def push(world: Sandbox, login: str, *refs: str) -> None:
    """Push refs (`+` forces, an empty source deletes) from a fresh look at the server."""
    world.git(login, "fetch", "-q", "origin")
    world.git(login, "push", "-q", world.clone_url(login), *refs)


def edit(call: Any, world: Sandbox, n: int) -> None:
    call("dana")("PATCH", f"/pulls/{n}", {"title": "Shallower", "body": "Because."})


def close(call: Any, world: Sandbox, n: int) -> None:
    call("rhea")("PATCH", f"/issues/{n}", {"state": "closed"})
    call("dana")("PATCH", f"/pulls/{n}", {"state": "open"})


def force(call: Any, world: Sandbox, n: int) -> None:
    world.git("dana", "fetch", "-q", "origin")
    world.git("dana", "checkout", "-q", "-B", "w", "origin/main")
    world.git("dana", "commit", "-q", "--allow-empty", "-m", "anew")
    push(world, "dana", "+w:refs/heads/deeper")


def retarget(call: Any, world: Sandbox, n: int) -> None:
    push(world, "dana", "origin/main:refs/heads/layer")
    call("dana")("PATCH", f"/pulls/{n}", {"base": "layer"})


def merge(call: Any, world: Sandbox, n: int) -> None:
    call("owen")("PUT", f"/pulls/{n}/merge", {})
    push(world, "dana", ":refs/heads/deeper")
    head = world.repo.issues[n].pull.head_sha  # type: ignore[union-attr]
    call("dana")("POST", "/git/refs", {"ref": "refs/heads/deeper", "sha": head})


def merge_by_push(call: Any, world: Sandbox, n: int) -> None:
    push(world, "owen", "origin/deeper:refs/heads/main")


def delete_head(call: Any, world: Sandbox, n: int) -> None:
    call("dana")("DELETE", "/git/refs/heads/deeper")


def delete_base(call: Any, world: Sandbox, n: int) -> None:
    retarget(call, world, n)
    push(world, "owen", ":refs/heads/layer")


def delete_merged_base(call: Any, world: Sandbox, n: int) -> None:
    first = world.propose("owen", "layer", {"a.txt": b"a"}, "A layer")
    call("dana")("PATCH", f"/pulls/{n}", {"base": "layer"})
    call("owen")("PUT", f"/pulls/{first}/merge", {})
    push(world, "owen", ":refs/heads/layer")


def force_base(call: Any, world: Sandbox, n: int) -> None:
    world.propose("owen", "layer", {"a.txt": b"a"}, "A layer")
    call("dana")("PATCH", f"/pulls/{n}", {"base": "layer"})
    push(world, "owen", "+origin/main:refs/heads/layer")


def label(call: Any, world: Sandbox, n: int) -> None:
    call("rhea")("POST", f"/issues/{n}/labels", {"labels": ["a", "b"]})
    call("rhea")("PUT", f"/issues/{n}/labels", {"labels": ["b", "c"]})
    call("rhea")("DELETE", f"/issues/{n}/labels/c")
    call("dana")("PATCH", f"/issues/{n}", {"labels": []})


def assign(call: Any, world: Sandbox, n: int) -> None:
    call("rhea")("PATCH", f"/issues/{n}", {"assignees": ["owen"]})
    call("rhea")("PATCH", f"/issues/{n}", {"assignees": ["vera"]})


def draft(call: Any, world: Sandbox, n: int) -> None:
    call("dana")("POST", f"/pulls/{n}/convert_to_draft", {})
    call("dana")("POST", f"/pulls/{n}/convert_to_draft", {})
    call("dana")("POST", f"/pulls/{n}/ready_for_review", {})


def dismiss(call: Any, world: Sandbox, n: int) -> None:
    call("dana")("POST", f"/pulls/{n}/requested_reviewers", {"reviewers": ["vera"]})
    _, review = call("vera")("POST", f"/pulls/{n}/reviews", {"event": "APPROVE"})
    call("rhea")("PUT", f"/pulls/{n}/reviews/{review['id']}/dismissals", {"message": "too early"})


def forget(call: Any, world: Sandbox, n: int) -> None:
    _, comment = call("owen")("POST", f"/issues/{n}/comments", {"body": "a secret word"})
    call("rhea")("DELETE", f"/issues/comments/{comment['id']}")


def queue(call: Any, world: Sandbox, n: int) -> None:
    world.finish_merge_group(world.merge_group(n))


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (edit, "renamed by dana"),
        (close, "closed by rhea, reopened by dana"),
        (force, "head_ref_force_pushed by dana, pushed by dana"),
        (retarget, "base_ref_changed by dana"),
        (merge, "merged by owen, closed by owen, head_ref_deleted by dana, head_ref_restored by dana"),
        (merge_by_push, "merged by owen, closed by owen"),
        (delete_head, "closed by dana, head_ref_deleted by dana"),
        (delete_base, "base_ref_changed by dana, closed by owen, base_ref_deleted by owen"),
        (delete_merged_base, "base_ref_changed by dana, automatic_base_change_succeeded by owen"),
        (force_base, "base_ref_changed by dana, base_ref_force_pushed by owen"),
        (
            label,
            "labeled by rhea, labeled by rhea, unlabeled by rhea, labeled by rhea, unlabeled by rhea, "
            "unlabeled by dana",
        ),
        (assign, "assigned by rhea about owen, unassigned by rhea about owen, assigned by rhea about vera"),
        (draft, "convert_to_draft by dana, ready_for_review by dana"),
        (dismiss, "review_requested by dana about vera, review_dismissed by rhea about vera"),
        (forget, "comment_deleted by rhea about owen"),
        (queue, "added_to_merge_queue by dana, merged by dana, closed by dana, removed_from_merge_queue by dana"),
    ],
)
def test_every_way_is_recorded(world: Sandbox, call: Any, number: int, what: Any, expected: str) -> None:
    """Edits by API, pushes, merges by push, deleted branches: each leaves GitHub's events, in GitHub's order."""
    what(call, world, number)
    assert ", ".join(told(world, number)) == expected


def test_a_word_that_github_does_not_have_is_refused(world: Sandbox, number: int) -> None:
    """A mistyped kind or detail would be an event that nobody finds."""
    for kind, detail in (("close", {}), ("closed", {"by": "dana"})):
        with pytest.raises(ValueError, match=kind):
            history.record(world.hub, world.repo, number, "dana", kind, detail)


def test_every_wording_is_kept_until_the_comment_is_deleted(world: Sandbox, call: Any, number: int) -> None:
    """Who changed a text, when, and what it said before; nothing of it is left once it is deleted."""
    _, made = call("owen")("POST", f"/issues/{number}/comments", {"body": "/approve the first"})
    path = f"/issues/comments/{made['id']}"
    call("rhea")("PATCH", path, {"body": "/reject it"})
    call("rhea")("PATCH", path, {"body": "/reject it"})
    edits = world.repo.comments[made["id"]].edits
    assert [(one.editor, one.text) for one in edits] == [("owen", "/approve the first"), ("rhea", "/reject it")]
    call("owen")("DELETE", path)
    world.hub.save()
    saved = (world.directory / "github.json").read_text()
    assert "the first" not in saved and "/reject it" not in saved
    assert "comment_deleted" in saved


def test_bodies_and_reviews_keep_their_wordings_too(world: Sandbox, call: Any, number: int) -> None:
    call("dana")("PATCH", f"/pulls/{number}", {"body": "one"})
    call("rhea")("PATCH", f"/issues/{number}", {"body": "two"})
    assert [(one.editor, one.text) for one in world.repo.issues[number].edits] == [
        ("dana", ""),
        ("dana", "one"),
        ("rhea", "two"),
    ]
    _, made = call("vera")("POST", f"/pulls/{number}/reviews", {"event": "COMMENT", "body": "hm"})
    call("vera")("PUT", f"/pulls/{number}/reviews/{made['id']}", {"body": "well"})
    assert [one.text for one in world.repo.reviews[made["id"]].edits] == ["hm", "well"]


def test_a_dismissal_says_what_it_took_away(world: Sandbox, call: Any, number: int) -> None:
    dismiss(call, world, number)
    event = history.events_of(world.repo, number)[-1]
    assert (event.detail["state"], event.detail["message"]) == ("approved", "too early")
