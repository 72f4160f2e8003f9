"""How verdicts of parts make the verdict of the whole: nothing, an error or a veto is never a yes."""

from __future__ import annotations

from itertools import product

import pytest

from bot.decide.combine import all_of, any_of, worst
from bot.decide.reasons import node
from bot.records.decision import Node, Status

STATUSES: tuple[Status, ...] = ("approved", "pending", "rejected", "error", "not_applicable")
CODES = {
    "approved": "approved", "pending": "approvals_missing", "rejected": "vetoed", "error": "role_unknown",
    "not_applicable": "not_applicable",
}  # fmt: skip


def part(status: Status, name: str = "part") -> Node:
    return node(name, status, CODES[status], f"It is {status}.", who=("somebody",))


def expected_all(parts: tuple[Status, ...]) -> Status:
    order: tuple[Status, ...] = ("rejected", "error", "pending", "approved")
    return next((one for one in order if one in parts), "not_applicable")


def expected_any(parts: tuple[Status, ...]) -> Status:
    order: tuple[Status, ...] = ("approved", "error", "pending", "rejected")
    return next((one for one in order if one in parts), "not_applicable")


@pytest.mark.parametrize("parts", [(), *product(STATUSES), *product(STATUSES, STATUSES), *product(STATUSES, repeat=3)])
def test_every_combination(parts: tuple[Status, ...]) -> None:
    children = [part(one, f"part {number}") for number, one in enumerate(parts)]
    both, either = all_of("whole", children), any_of("whole", children)
    assert (both.status, either.status) == (expected_all(parts), expected_any(parts))
    assert worst(parts) == both.status
    for found in (both, either):
        assert found.name == "whole" and found.children == tuple(children)
        if found.status not in ("approved", "not_applicable"):
            deciding = next(one for one in children if one.status == found.status)
            assert (found.reason_code, found.sentence, found.who_can) == (
                deciding.reason_code, deciding.sentence, deciding.who_can,
            )  # fmt: skip


def test_what_they_say() -> None:
    assert all_of("x", []) == node("x", "not_applicable", "not_applicable", "Nothing of it applies.")
    assert any_of("x", []) == node("x", "not_applicable", "not_applicable", "Nothing of it applies.")
    yes = part("approved")
    assert all_of("x", [yes]) == node("x", "approved", "approved", "All of it is approved.", children=[yes])
    assert any_of("x", [yes]) == node("x", "approved", "approved", "One of them is approved.", children=[yes])
