"""A pull request with ten thousand opinions is judged in under a second."""

from __future__ import annotations

import time

import pytest

from bot.records.facts import Actor
from tests.decide.policies import P
from tests.decide.world import H2, REV, H, account, actor, command, facts, head, judge, review


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


@pytest.mark.parametrize("policy", ["P1", "two reviewers", "two hats across"])
def test_ten_thousand_opinions_in_under_a_second(policy: str) -> None:
    people: tuple[Actor, ...] = tuple(Actor(account=account(id_), permission="write") for id_ in range(1000, 1500))
    found = facts(*busy(10_000), review(REV), actors=(*people, actor(REV)), heads=(head(H), head(H2)))  # type: ignore[arg-type]
    rules = P[policy]
    judge(facts(review(REV)), rules)  # imports and caches
    begin = time.process_time()
    decision = judge(found, rules)
    took = time.process_time() - begin
    assert decision.status in ("approved", "pending")
    assert took < 1.0, f"{took:.2f} s"


def test_time_grows_with_opinions_and_not_with_their_square() -> None:
    def seconds(n: int) -> float:
        found = facts(*busy(n), review(REV))  # type: ignore[arg-type]
        begin = time.process_time()
        judge(found, P["P1"])
        return time.process_time() - begin

    seconds(100)
    assert seconds(8_000) < 8 * 3 * max(seconds(1_000), 0.005)
