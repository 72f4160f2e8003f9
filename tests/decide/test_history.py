"""What GitHub remembers of a pull request decides what still counts, whatever runs there were."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chatops.parse import parse
from bot.decide.history import edited_away, voids, with_dismissals, with_voids
from bot.decide.reading import stamp
from bot.ports import Comment, TimelineEvent
from bot.records.facts import Opinion
from tests.decide.world import ANN, NOW, REV, account


def event(kind: str, minutes: float, by: int | None = ANN, **review: object) -> TimelineEvent:
    at = NOW + timedelta(minutes=minutes)
    return TimelineEvent(kind, at, account(by) if by else None, **review)  # type: ignore[arg-type]


def said(minutes: float) -> Opinion:
    at = stamp(NOW + timedelta(minutes=minutes))
    return Opinion(id="r1", method="review", kind="approve", actor=REV, created_at=at)


@pytest.mark.parametrize(
    ("timeline", "cause"),
    [
        ([], ""),
        ([event("closed", 1)], "closed"),
        ([event("closed", -1)], ""),
        ([event("closed", 0)], "closed"),  # the same second: nobody knows which came first
        ([event("base_changed", 1)], "retargeted"),
        ([event("closed", 1), event("base_changed", 2)], "retargeted"),
        ([event("base_changed", -9), event("closed", 1), event("closed", 3)], "closed"),
        ([event("merged", 1), event("closed", 1)], ""),
        ([event("closed", 1), event("merged", 2), event("closed", 2)], "closed"),
        ([event("review_dismissed", 1, review_id=1, review_state="APPROVED")], ""),
    ],
)
def test_an_approval_is_void_when_it_came_before_a_closing_or_another_base(
    timeline: list[TimelineEvent], cause: str
) -> None:
    assert with_voids([said(0)], timeline)[0].voided == cause


def test_what_an_older_ledger_made_void_stays_void() -> None:
    assert with_voids([said(0).model_copy(update={"voided": "closed"})], [])[0].voided == "closed"


def test_a_merge_closes_and_voids_nothing() -> None:
    assert voids([event("merged", 1), event("closed", 1)]) == []
    assert voids([event("closed", 1), event("merged", 1)]) == [], "GitHub's seconds do not tell which was first"
    assert [cause for _, cause in voids([event("closed", 1), event("merged", 9), event("closed", 9)])] == ["closed"]


@pytest.mark.parametrize(
    ("dismissal", "kind", "was"),
    [
        (event("review_dismissed", 1, ANN, review_id=7, review_state="CHANGES_REQUESTED"), "reject", None),
        (event("review_dismissed", 1, None, review_id=7, review_state="CHANGES_REQUESTED"), "reject", None),
        (event("review_dismissed", 1, REV, review_id=7, review_state="CHANGES_REQUESTED"), "withdraw", "reject"),
        (event("review_dismissed", 1, ANN, review_id=7, review_state="APPROVED"), "withdraw", "approve"),
        (event("review_dismissed", 1, ANN, review_id=8, review_state="CHANGES_REQUESTED"), "withdraw", None),
    ],
    ids=["by the author", "by an account that is gone", "by its own author", "an approval", "another review"],
)
def test_only_whoever_objected_takes_an_objection_back(dismissal: TimelineEvent, kind: str, was: str | None) -> None:
    review = said(0).model_copy(update={"id": "r7", "kind": "withdraw"})
    assert [(one.kind, one.was) for one in with_dismissals([review], [dismissal])] == [(kind, was)]


WROTE = Comment(5, account(REV), "fine by me", NOW, NOW + timedelta(minutes=1), earlier=("/reject --reason leaks",))


@pytest.mark.parametrize(
    ("comment", "kinds"),
    [
        (WROTE, ["reject"]),
        (replace(WROTE, body="/approve"), ["reject"]),
        (replace(WROTE, body="/reject --reason leaks\n\nsee below"), []),
        (replace(WROTE, earlier=("/hold --reason wait",)), ["hold"]),
        (replace(WROTE, earlier=("/approve",)), []),
        (replace(WROTE, earlier=("/reject --reason a", "/reject --reason b", "never mind")), ["reject"]),
        (replace(WROTE, author=account(90)), []),
    ],
    ids=["gone", "turned round", "still there", "a hold", "an approval", "several texts", "a bot's"],
)
def test_an_objection_stands_although_its_comment_was_edited(comment: Comment, kinds: list[str]) -> None:
    found = list(edited_away([comment], parse, None))
    assert [one.kind for one in found] == kinds and all(one.tampered and one.actor == REV for one in found)
