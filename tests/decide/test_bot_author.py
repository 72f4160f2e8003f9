"""A pull request of the bot's own, such as one that retrains: people judge it, and the bot's word counts nowhere."""

from __future__ import annotations

import pytest

from bot.records.facts import Opinion
from tests.decide.world import ANN, APP, REV, account, actor, command, commit, facts, judge, review

BY_BOT = {"author": account(APP), "last_pusher": APP}
COMMITS = (commit(author=APP, committer=APP),)
ACTORS = (actor(APP), actor(REV), actor(ANN))


@pytest.mark.parametrize(
    ("opinions", "status"),
    [
        ((), "pending"),
        ((review(APP),), "pending"),
        ((command(APP),), "pending"),
        ((review(ANN),), "pending"),
        ((review(REV),), "approved"),
    ],
    ids=["nobody", "the bot's review", "the bot's command", "somebody without the role", "a reviewer"],
)
def test_it_needs_the_same_people(opinions: tuple[Opinion, ...], status: str) -> None:
    assert judge(facts(*opinions, pr=BY_BOT, commits=COMMITS, actors=ACTORS)).status == status


def test_somebody_who_pushes_to_its_branch_has_built_it() -> None:
    pushed = (*COMMITS, commit(author=REV, committer=REV))
    found = facts(review(REV), pr={**BY_BOT, "last_pusher": REV}, commits=pushed, actors=ACTORS)
    assert judge(found).status == "pending"
