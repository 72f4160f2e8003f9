"""Judging ten thousand comments and reviews costs about as much as reading them, and grows as they do."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import pytest

from bot.records.facts import Actor, Facts
from tests.decide.policies import P
from tests.decide.world import H2, REV, H, account, actor, command, facts, head, judge, review

TIMES = 3  # how often each of two rivals runs; the best of each counts


def busy(n: int) -> tuple[object, ...]:
    """Reviews and commands of 500 people, most of them refused for one reason or another."""
    said = []
    for index in range(n):
        who = 1000 + index % 500
        if index % 3:
            said.append(review(who, sha=(H, H2)[index % 2], ago=index / 100, id=f"r{index}"))
        else:
            said.append(command(who, target=("E", H, None)[index % 3], ago=index / 100, id=f"c{index}"))
    return tuple(said)


def crowd(n: int) -> Facts:
    """So many opinions, and the people behind them."""
    people: tuple[Actor, ...] = tuple(Actor(account=account(id_), permission="write") for id_ in range(1000, 1500))
    return facts(*busy(n), review(REV), actors=(*people, actor(REV)), heads=(head(H), head(H2)))  # type: ignore[arg-type]


def rivals(*calls: Callable[[], object]) -> list[float]:
    """Best processor time of each, taken in turns, so that whatever slows the machine slows them alike."""
    best = [float("inf")] * len(calls)
    gc.collect()
    for _ in range(TIMES):
        for index, call in enumerate(calls):
            begin = time.process_time()
            call()
            best[index] = min(best[index], time.process_time() - begin)
    return best


@pytest.mark.parametrize("policy", ["P1", "two reviewers", "two hats across"])
def test_judging_ten_thousand_opinions_costs_a_few_times_what_reading_them_from_json_does(policy: str) -> None:
    """The rival reads the same record with pydantic, which is a tenth of a second on a laptop: so a second is far."""
    found = crowd(10_000)
    text, rules = found.canonical(), P[policy]
    judged, read = rivals(lambda: judge(found, rules), lambda: Facts.parse(text, source="facts"))
    assert judge(found, rules).status in ("approved", "pending")
    assert judged < 8 * read, f"judging took {judged / read:.1f} times as long as reading"


def test_time_grows_with_opinions_and_not_with_their_square() -> None:
    few, many = crowd(1_000), crowd(8_000)
    one, eight = rivals(lambda: judge(few, P["P1"]), lambda: judge(many, P["P1"]))
    assert eight < 8 * 3 * one, f"eight times as many took {eight / one:.1f} times as long"
