"""A commit's verdict when several pull requests have it."""

from __future__ import annotations

from itertools import permutations

import pytest

from bot.records.decision import Decision, Status
from bot.report.status import VERDICTS, Shared, shared_status, verdict_of
from bot.report.status import Status as CommitStatus
from tests.decide.world import facts, judge, review


def verdict(status: Status) -> Decision:
    return judge(facts(review(11))).model_copy(update={"status": status, "headline": f"It is {status}."})


def shared(number: int, status: Status | None, counts: bool = True) -> Shared:
    return Shared(number, verdict(status) if status else None, counts)


def shown(mine: Shared, *others: Shared) -> CommitStatus:
    status = mine.decision.status if mine.decision else "pending"
    own = CommitStatus("mlbot/verdict", VERDICTS[status], f"It is {status}.", None)
    return shared_status(own, [mine, *others], verdict_of) if others else own


CASES = [
    ("alone", [shared(1, "rejected")], "failure", "It is rejected."),
    ("the other is rejected", [shared(1, "approved"), shared(2, "rejected")], "failure",
     "#2: It is rejected. [same commit: #1]"),
    ("the other is approved", [shared(1, "rejected"), shared(2, "approved")], "failure",
     "#1: It is rejected. [same commit: #2]"),
    ("both are approved", [shared(1, "approved"), shared(2, "approved")], "success",
     "#1: It is approved. [same commit: #2]"),
    ("the other cannot be judged", [shared(1, "pending"), shared(2, "error")], "error",
     "#2: It is error. [same commit: #1]"),
    ("the other is not decided yet", [shared(1, "approved"), shared(2, None)], "pending",
     "#2: Not decided yet [same commit: #1]"),
    ("a stranger's is rejected", [shared(1, "approved"), shared(9, "rejected", counts=False)], "success",
     "#1: It is approved. [same commit: #9 not counted]"),
    ("a stranger's own is approved", [shared(9, "approved", counts=False), shared(1, "pending")], "pending",
     "#1: It is pending. [same commit: #9 not counted]"),
    ("all are strangers'", [shared(8, "approved", counts=False), shared(9, "rejected", counts=False)], "failure",
     "#9: It is rejected. [same commit: #8]"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "all_of_it", "state", "says"), CASES, ids=[one[0] for one in CASES])
def test_the_worst_of_those_that_count_and_the_others_by_name(
    name: str, all_of_it: list[Shared], state: str, says: str
) -> None:
    found = shown(*all_of_it)
    assert (found.state, found.description) == (state, says)


def test_whoever_is_judged_last_the_commit_says_the_same() -> None:
    everybody = [shared(1, "approved"), shared(2, "pending"), shared(3, "rejected"), shared(9, "error", counts=False)]
    assert len({(found.state, found.description) for order in permutations(everybody) if (found := shown(*order))}) == 1


def test_many_names_fit_into_a_description() -> None:
    found = shown(shared(1, "approved"), *(shared(number, "approved") for number in range(100, 200)))
    assert len(found.description) <= 140 and "100 more" in found.description


def test_of_a_closed_one_only_the_other_says_what_the_commit_is() -> None:
    own = CommitStatus("mlbot/verdict", "success", "It is approved.", None)
    found = shared_status(own, [shared(2, "pending")], verdict_of)
    assert (found.state, found.description) == ("pending", "#2: It is pending.")
