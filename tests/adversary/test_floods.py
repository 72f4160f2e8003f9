"""What anybody may write as often as they like costs little, once, and silences nobody who has a say."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.chatops.parse import parse
from bot.decide.heard import is_slow
from bot.errors import WorldError
from bot.pipeline.judge import judge
from bot.ports import Comment
from bot.records.event import Account
from tests.fakes.conversation import NOW
from tests.pipeline.test_train_and_report import SPEC, penalised
from tests.pipeline.world import NUMBER, World, world

MOST_SECONDS = 2.0
LENGTH = 65_000
FLOODS = {
    "slashes": "/\n", "commands": "/hold\n", "near commands": "/aprove\n", "lines": "x\n", "quotes": "> /hold\n",
    "lists": "- /hold\n", "html": "<b>/hold\n", "footnotes": "[^1]: /hold\n", "links": "[a](/b) /c\n",
    "fences": "```\n/hold\n```\n", "tables": "| /a |\n| - |\n", "breaks": "\\\n/a", "one line": "/a ",
    "struck": "~~/hold~~\n", "formulas": "$$\n/hold\n", "brackets": "[/", "emphasis": "*/a* ",
}  # fmt: skip


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Evaluated once."""
    with pytest.MonkeyPatch.context() as patch:
        made = world(tmp_path_factory.mktemp("world"), patch, head={SPEC: penalised(0.5)})
        made.evaluate()
        return made


@pytest.fixture
def made(evaluated: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Strangers may read here; nobody of them holds a role."""
    found = world(tmp_path, monkeypatch, head={SPEC: penalised(0.5)})
    found.ledger.files, found.ledger.commits = dict(evaluated.ledger.files), list(evaluated.ledger.commits)
    found.talk.comments_ = list(evaluated.talk.comments_)
    found.people |= {f"stranger-{n}": (9000 + n, "read") for n in range(30)}
    found.people["will"] = (6666, "write")
    return found


def flood(made: World, unit: str, count: int = 300) -> None:
    """Comments of thirty strangers, each another, so that none is known from before."""
    for n in range(count):
        author = Account(id=9000 + n % 30, login=f"stranger-{n % 30}")
        body = (f"{n}\n" + unit * (LENGTH // len(unit)))[:LENGTH]
        at = NOW + timedelta(seconds=n)
        made.talk.comments_.append(Comment(10_000 + n, author, body, at, at))


@pytest.mark.parametrize("name", FLOODS)
def test_three_hundred_comments_of_strangers_cost_less_than_two_seconds(made: World, name: str) -> None:
    start = time.process_time()
    judge(NUMBER, "merge", made.job())
    quiet = time.process_time() - start
    flood(made, FLOODS[name])
    start = time.process_time()
    judged = judge(NUMBER, "merge", made.job())
    assert time.process_time() - start - quiet < MOST_SECONDS
    assert not [one for one in judged.facts.opinions if one.actor >= 9000]


@pytest.mark.parametrize("login", ["will", "vera", "dana"])
def test_who_has_a_say_is_read_however_long_they_write(made: World, login: str) -> None:
    """Who may write here, whom a role names, and the author."""
    body = "/hold --reason see the log\n\n" + "a line of a log\n" * 3000
    account = Account(id=made.people[login][0], login=login)
    made.talk.comments_.append(Comment(77, account, body, NOW, NOW))
    assert is_slow(body)
    judged = judge(NUMBER, "merge", made.job())
    assert [one.kind for one in judged.facts.opinions if one.id == "c77"] == ["hold"]


def test_what_github_does_not_say_of_somebody_is_not_held_against_them(
    made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, body = Account(id=9001, login="stranger-1"), "/hold --reason x\n" + "log\n" * 100
    made.talk.comments_.append(Comment(77, account, body, NOW, NOW))
    job = made.job()
    github: Any = job.ports.pull_requests
    monkeypatch.setattr(github, "permissions", lambda people: {one.id: "a role of our own" for one in people})
    assert [one.id for one in judge(NUMBER, "merge", job).facts.opinions] == ["c77"]


def test_the_same_comment_is_read_once_in_a_job() -> None:
    body = "/hold --reason x\n" + "log\n" * 5000
    parse(body)
    start = time.process_time()
    for _ in range(100):
        assert parse(body).commands
    assert time.process_time() - start < 0.5


def slow_down(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Judging one pull request takes for ever, and what it does on the way takes every error for its own."""
    from bot.pipeline import judge as judging

    honest = judging.rejudge

    def rejudge(one: int, job: Any, **more: Any) -> Any:
        while one == number:
            with contextlib.suppress(ValueError):
                time.sleep(0.01)
        return honest(one, job, **more)

    monkeypatch.setattr(judging, "rejudge", rejudge)
    monkeypatch.setattr(judging, "LONGEST_S", 0.2)


def test_a_pull_request_that_takes_for_ever_keeps_no_other_back(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.adapters.deadline import limited
    from bot.errors import Parts
    from bot.pipeline.judge import rejudge_open

    job = replace(made.job(), limited=limited)
    github: Any = job.ports.pull_requests
    github.pulls = {3: replace(github.pulls[NUMBER], number=3), **github.pulls}
    slow_down(monkeypatch, 3)
    parts = Parts()
    assert [one.facts.pull_request.number for one in rejudge_open(job, parts)] == [NUMBER]
    assert [(name, error.code) for name, error in parts.failed] == [("#3", "timeout")]


def test_a_limit_ends_with_what_it_limits() -> None:
    from bot.adapters.deadline import limited

    with limited(0.05):
        pass
    time.sleep(0.1)
    with pytest.raises(WorldError), limited(0.05):
        time.sleep(5)
