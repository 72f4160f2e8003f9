"""Who takes a word back, and how: everything that people can do to each other's reviews and comments.

Each row is what happens to the words of rev, read by the bot at each `*` and at the end. At first rev2 approves too,
so that the verdict hangs on whether rev still objects; then nobody else does.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.records.facts import Opinion
from tests.decide.test_attacks import decided
from tests.decide.test_attacks import review as reviewed
from tests.decide.test_attacks import said as commented
from tests.decide.test_step import World, world
from tests.decide.world import REV, REV2, H, command, facts, judge, review

WORDS = {"approve": f"/approve {H}", "reject": "/reject --reason no", "unapprove": "/unapprove", "chat": "thanks"}
STATES = {"approves": "APPROVED", "changes": "CHANGES_REQUESTED"}


def play(ports: World, steps: list[str]) -> str:
    """`*`: the bot reads; `/verb`, `approves`, `changes`: a new word; `0 deleted`: what happens to the first."""
    placed: list[tuple[str, int]] = []
    comments, reviews = ports.pull_requests.comments_of[7], ports.pull_requests.reviews_of[7]
    for step in steps:
        first, _, rest = step.partition(" ")
        if step == "*":
            decided(ports)
        elif first.startswith("/"):
            placed.append(("comment", 1000 + len(placed)))
            comments.append(commented(REV, WORDS[first[1:]], ago=90 - len(placed), id_=placed[-1][1]))
        elif first in STATES:
            placed.append(("review", 1000 + len(placed)))
            reviews.append(reviewed(REV, STATES[first], ago=90 - len(placed), id_=placed[-1][1]))
        else:
            kind, id_ = placed[int(first)]
            here: list[Any] = comments if kind == "comment" else reviews
            (index,) = [index for index, one in enumerate(here) if one.id == id_]
            if rest == "deleted":
                del here[index]
            elif rest == "dismissed":
                here[index] = replace(here[index], state="DISMISSED")
            else:
                body, later = WORDS[rest.removeprefix("> ")], timedelta(minutes=20)
                here[index] = replace(here[index], body=body, updated_at=here[index].created_at + later)
    return decided(ports).status


OBJECTING = [
    ("/reject|changes|1 dismissed", "rejected"),
    ("/reject|*|changes|1 dismissed", "rejected"),
    ("/reject|changes|*|1 dismissed", "rejected"),
    ("/reject|approves|1 dismissed", "rejected"),
    ("/reject|approves|*|1 dismissed", "rejected"),
    ("/reject|approves", "approved"),
    ("changes|approves|1 dismissed", "rejected"),
    ("changes|changes|1 dismissed", "rejected"),
    ("changes|changes|0 dismissed|1 dismissed", "approved"),  # nobody saw them: said in the docs
    ("changes|*|changes|0 dismissed|1 dismissed", "rejected"),
    ("changes|*|0 dismissed|/unapprove", "approved"),
    ("changes|*|0 dismissed|*|approves", "approved"),
    ("changes|/unapprove|0 dismissed", "approved"),
    ("/reject|/unapprove", "approved"),
    ("/reject|/unapprove|*|1 deleted", "rejected"),
    ("/reject|*|0 deleted", "rejected"),
    ("/reject|*|0 > chat", "rejected"),
    ("/reject|*|0 > approve", "rejected"),
    ("/reject|*|0 > unapprove", "rejected"),
    ("/reject|/approve|1 > chat", "rejected"),
    ("/reject|/chat|1 > unapprove", "rejected"),
    ("/reject|/chat|1 > approve", "rejected"),
    ("/reject|/chat|*|1 > unapprove", "rejected"),
    ("/approve|*|0 > reject", "rejected"),
    ("/unapprove|*|0 > reject", "rejected"),
    ("/reject|*|0 deleted|/unapprove", "approved"),
    ("/reject|*|0 > approve|/approve", "approved"),
]  # fmt: skip
ALONE = [
    ("approves", "approved"),
    ("approves|0 dismissed", "pending"),
    ("approves|*|0 dismissed", "pending"),
    ("approves|approves|1 dismissed", "pending"),
    ("approves|approves|*|1 dismissed", "pending"),
    ("approves|approves|0 dismissed", "approved"),
    ("/approve|approves|*|1 dismissed", "approved"),
    ("/approve|approves|1 dismissed", "pending"),  # it may have been a rejection, which was the last word
    ("/approve|changes|1 dismissed", "pending"),
    ("/approve|changes|*|1 dismissed", "rejected"),
    ("/approve|*|approves|*|1 dismissed", "approved"),
    ("approves|/approve|0 dismissed", "approved"),
    ("approves|/unapprove|0 dismissed", "pending"),
    ("approves|*|/unapprove|*|1 deleted", "pending"),
    ("approves|*|/unapprove|*|1 > chat", "pending"),
    ("approves|/chat|1 > unapprove", "pending"),
    ("/approve|0 > chat", "pending"),
    ("/approve|*|0 > approve", "pending"),
    ("/chat|0 > approve", "pending"),
    ("/chat|*|0 > approve", "pending"),
]


@pytest.mark.parametrize(("steps", "status"), OBJECTING, ids=[one[0] for one in OBJECTING])
def test_an_objection_is_taken_back_by_its_maker_s_new_word_alone(steps: str, status: str) -> None:
    ports = world(reviews=[reviewed(REV2, ago=5)])
    assert play(ports, steps.split("|")) == status


@pytest.mark.parametrize(("steps", "status"), ALONE, ids=[one[0] for one in ALONE])
def test_an_approval_counts_while_nothing_took_it_back(steps: str, status: str) -> None:
    assert play(world(), steps.split("|")) == status


said = st.tuples(
    st.sampled_from([REV, REV2]),
    st.sampled_from(["approve", "withdraw", "reject", "hold"]),
    st.sampled_from(["review", "command"]),
    st.integers(1, 9),
)


def _opinion(index: int, word: tuple[int, Any, Literal["review", "command"], int]) -> Opinion:
    who, kind, method, ago = word
    if method == "review" and kind in ("approve", "reject"):
        return review(who, kind, ago=ago, id=f"r{index}")
    return command(who, kind, target=H, ago=ago, id=f"c{index}", reason="why")


@settings(max_examples=150, deadline=None)
@given(st.lists(said, max_size=6), st.integers(0, 6), st.sampled_from([None, "approve"]))
def test_a_dismissal_changes_only_that_review(
    words: list[tuple[int, Any, Any, int]], where: int, was: Literal["approve"] | None
) -> None:
    """With the review dismissed nothing is greener than without it, and no objection of anybody is gone."""
    others = [_opinion(index, word) for index, word in enumerate(words)]
    gone = review(REV, "withdraw", ago=where + 0.5, id="r99", was=was)
    with_it, without = judge(facts(*others, gone)), judge(facts(*others))
    assert ("rejected" in (with_it.status, without.status)) is (with_it.status == without.status == "rejected")
    assert not (with_it.status == "approved" and without.status != "approved")
    commands = [one for one in others if one.method == "command" or one.actor != REV]
    if was == "approve" and judge(facts(*commands)).status == "approved" and without.status != "rejected":
        assert with_it.status == "approved"
