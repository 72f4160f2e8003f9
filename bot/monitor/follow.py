"""What follows a look at a release: which issues and pull requests to open, to bring up to date, to close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.ports import Thread
from bot.records.health import Aged, Cause, Health
from bot.specs.policies.monitor import Monitor
from bot.words import Markdown, Plain

MONTH = timedelta(days=30)
RETRAIN, ROLLBACK = "retrain", "rollback"
CURABLE: tuple[Cause, ...] = ("performance", "drift")  # by training on new rows


@dataclass(frozen=True)
class Words:
    """Title and body of a thread, without its marker."""

    title: Plain
    body: Markdown


@dataclass(frozen=True)
class Situation:
    """Everything that is looked at. `past` are the stored records before, oldest first; `threads` the bot's own.

    `words` by cause, `retrain` and `rollback`; what has no words is not opened. `why_not` says why there is nothing to
    retrain on, empty when there is.
    """

    health: Health
    monitor: Monitor
    past: Sequence[Health]
    threads: Sequence[Thread]
    now: datetime
    words: Mapping[str, Words]
    why_not: str = ""


@dataclass(frozen=True)
class Act:
    """`number` None opens. `retrain` opens a pull request, all else an issue."""

    kind: Literal["open", "edit", "close"]
    about: str
    words: Words | None = None
    number: int | None = None
    why: str = ""


def marker(health: Health, about: str) -> Markdown:
    """The hidden first line by which a thread is found again; retraining is about the model, wherever it is live."""
    where = health.model if about == RETRAIN else f"{health.environment}/{health.model}"
    return Markdown(f"<!-- mlbot:monitor {where} {about} -->")  # noqa: S704 - names of a closed alphabet


def follow(given: Situation) -> tuple[list[Act], list[str]]:
    """What to do, in order, and what is not done and why. Asking again after it was done gives edits only."""
    acts, said = [], []
    left = given.monitor.budget_a_month - _spent(given)
    for about in _subjects(given):
        act, why = _one(about, given)
        if act is not None and act.kind == "open":
            if left <= 0:
                act, why = None, f"{about}: the {given.monitor.budget_a_month} a month of the policy are spent"
            left -= 1
        if act is not None:
            acts.append(act)
        if why:
            said.append(why)
    return acts, said


def wanted(given: Situation) -> list[str]:
    """Subjects that alarm and that the policy lets act on."""
    health, on_alarm = given.health, given.monitor.on_alarm
    found: list[str] = list(health.causes) if "issue" in on_alarm else []
    if "retraining_pull_request" in on_alarm and set(CURABLE) & set(health.causes):
        found.append(RETRAIN)
    if "rollback_proposal" in on_alarm and "performance" in health.causes and better(health) is not None:
        found.append(ROLLBACK)
    return found


def better(health: Health) -> Aged | None:
    """The best of the released versions that do better than what is live on the same new rows, None without one."""
    found = [one for one in health.versions if one.better_than_live]
    live = next((one for one in health.versions if one.is_live), None)
    if not found or live is None:
        return None
    rises = found[0].value > live.value
    return max(found, key=lambda one: one.value if rises else -one.value)


def _subjects(given: Situation) -> Iterator[str]:
    """What alarms, then what is open and does not."""
    now = wanted(given)
    yield from now
    marks = {str(marker(given.health, one)): one for one in (*_causes(), RETRAIN, ROLLBACK)}
    for thread in given.threads:
        about = marks.get(thread.body.partition("\n")[0])
        if about is not None and thread.state == "open" and about not in now:
            yield about


def _causes() -> tuple[Cause, ...]:
    return ("performance", "drift", "inputs", "skew", "traffic", "operation")


def _one(about: str, given: Situation) -> tuple[Act | None, str]:
    mine = [one for one in given.threads if one.body.startswith(marker(given.health, about))]
    there = next((one for one in mine if one.state == "open"), None)
    if about in wanted(given):
        return _alarming(about, mine, there, given)
    assert there is not None
    if not _is_gone(about, given.health):
        return None, ""
    why = f"The cause is gone: {given.health.version} was judged at {given.health.judged_at} and does not alarm."
    return Act("close", about, number=there.number, why=why), ""


def _alarming(about: str, mine: Sequence[Thread], there: Thread | None, given: Situation) -> tuple[Act | None, str]:
    words = given.words.get(about)
    if there is not None:
        if about == RETRAIN or words is None:  # its words stand: people may be judging it
            return None, ""
        return Act("edit", about, words, there.number), ""
    if about == RETRAIN and given.why_not:
        return None, f"{about}: {given.why_not}"
    if _was_declined(about, mine, given):
        return None, f"{about}: closed by hand, and the cause was not gone since"
    return (Act("open", about, words), "") if words is not None else (None, "")


def _was_declined(about: str, mine: Sequence[Thread], given: Situation) -> bool:
    """Whether somebody closed the last one while it alarmed, and it has alarmed in every look since."""
    ended = [one.closed_at for one in mine if one.closed_at is not None and not one.is_merged]
    if not ended:
        return False
    last = max(ended)
    before = [one for one in given.past if one.judged_at and datetime.fromisoformat(one.judged_at) <= last]
    since = [one for one in given.past if one.judged_at and datetime.fromisoformat(one.judged_at) > last]
    return all(_alarmed(about, one) for one in (*before[-1:], *since))


def _alarmed(about: str, health: Health) -> bool:
    if about == RETRAIN:
        return bool(set(CURABLE) & set(health.causes))
    if about == ROLLBACK:
        return better(health) is not None
    return about in health.causes


def _is_gone(about: str, health: Health) -> bool:
    """Whether this look could have seen the cause and did not: what was not judged is not gone."""
    inputs = any(one.role != "target" for one in health.drift)  # labels alone say nothing of the inputs
    judged = {
        "performance": bool(health.performance),
        "drift": inputs,
        "inputs": inputs,
        "skew": any(one.cause == "skew" for one in health.checks),
        "traffic": any(one.code == "rows" for one in health.checks),
        "operation": any(one.cause == "operation" for one in health.checks),
    }
    if about == RETRAIN:
        return any(judged[one] for one in CURABLE)
    return judged["performance"] if about == ROLLBACK else judged[about]


def _spent(given: Situation) -> int:
    """Threads of this model and environment that were opened in the last 30 days."""
    marks = tuple(marker(given.health, one) for one in (*_causes(), RETRAIN, ROLLBACK))
    return sum(one.body.startswith(marks) and one.created_at > given.now - MONTH for one in given.threads)
