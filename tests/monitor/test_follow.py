"""What follows an alarm: one thread a model and cause, brought up to date, closed when it is gone, never a flood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.monitor.follow import RETRAIN, ROLLBACK, Act, Situation, Words, follow, marker
from bot.ports import Thread
from bot.records.health import Aged, Budget, Check, ColumnDrift, Health, Performance, Side
from bot.specs.policies.monitor import Monitor
from tests.monitor.world import NOON

SIDE = Side(source="x", rows=100, sampled=100)
BUDGET = Budget(
    false_alarms_per_month=0.5, windows_per_month=30, per_window=1 / 60, families=("drift",), permutations=999
)
CAUSES = ("performance", "drift", "inputs", "skew", "traffic", "operation")
ALL = ("issue", "retraining_pull_request", "rollback_proposal")
WORDS = {about: Words(f"title {about}", f"body {about}") for about in (*CAUSES, RETRAIN, ROLLBACK)}


def a_health(*causes: str, at: float = 0, judged: bool = True, better: bool = False) -> Health:
    """A look `at` so many days after noon; `judged` False could see nothing but traffic."""
    performance = Performance(
        metric="accuracy", reference=0.9, current=0.8, worse=0.1, low=0.0, high=0.2, confidence=0.95, n_reference=9,
        n_current=9, alarm="performance" in causes,
    )  # fmt: skip
    drift = ColumnDrift(
        column="x", role="input", test="kolmogorov_smirnov", effect=0.1, p_adjusted=0.5, alarm="drift" in causes
    )
    versions = tuple(
        Aged(
            version=version, artifact_digest=version, released_at="", is_live=live, metric="accuracy", value=value,
            low=None, high=None, n=9, better_than_live=better and not live,
        )
        for version, live, value in (("v1.0.0", False, 0.9), ("v2.0.0", True, 0.8))
    )  # fmt: skip
    checks = tuple(
        Check(cause=one, code="rows" if one == "traffic" else one, sentence="s", alarm=one in causes)  # type: ignore[arg-type]
        for one in ("skew", "operation", "traffic")
        if judged or one == "traffic"
    )
    return Health(
        model="churn", environment="production", version="v2.0.0", status="alarm" if causes else "healthy",
        reference=SIDE, current=SIDE, budget=BUDGET, least_effect=0.02, smallest_detectable=None, estimated=(),
        drift=(drift,) if judged else (), performance=(performance,) if judged else (), checks=checks, notes=(),
        versions=versions, causes=causes, judged_at=(NOON + timedelta(days=at)).isoformat(),
    )  # fmt: skip


def a_thread(
    about: str, number: int = 1, *, days_ago: float = 1, closed: float | None = None, **changes: Any
) -> Thread:
    body = f"{marker(a_health(), about)}\nbody"
    opened = NOON - timedelta(days=days_ago)
    one = Thread(number, "title", body, "open", opened, is_pull_request=about == RETRAIN)
    if closed is not None:
        one = replace(one, state="closed", closed_at=NOON - timedelta(days=closed))
    return replace(one, **changes)


def act(
    health: Health, *threads: Thread, past: Sequence[Health] = (), why_not: str = "", **policy: Any
) -> tuple[list[Act], list[str]]:
    monitor = Monitor(**{"predictions": "log", "labels": "l", "on_alarm": ALL, "budget_a_month": 9, **policy})
    return follow(Situation(health, monitor, past, threads, NOON, WORDS, why_not))


def short(acts: Sequence[Act]) -> list[tuple[str, str, int | None]]:
    return [(one.kind, one.about, one.number) for one in acts]


PERFORMANCE, DRIFT = ("open", "performance", None), ("open", "drift", None)
CASES: dict[str, tuple[tuple[Any, ...], dict[str, Any], list[tuple[str, str, int | None]]]] = {
    "nothing alarms": ((a_health(),), {}, []),
    "performance": ((a_health("performance"),), {}, [PERFORMANCE, ("open", RETRAIN, None)]),
    "an alarm that no training cures": ((a_health("skew"),), {}, [("open", "skew", None)]),
    "two causes, two issues, one retraining": (
        (a_health("performance", "drift"),), {}, [PERFORMANCE, DRIFT, ("open", RETRAIN, None)],
    ),
    "only the record": ((a_health("performance"),), {"on_alarm": ()}, []),
    "no retraining without words": ((a_health("drift"),), {"on_alarm": ("issue",)}, [DRIFT]),
    "an older version is better": (
        (a_health("performance", better=True),), {"on_alarm": ("rollback_proposal",)}, [("open", ROLLBACK, None)],
    ),
    "no proposal without a better version": ((a_health("performance"),), {"on_alarm": ("rollback_proposal",)}, []),
    "the open issue is edited": (
        (a_health("drift"), a_thread("drift", 4)), {"on_alarm": ("issue",)}, [("edit", "drift", 4)],
    ),
    "the open pull request is left to its reviewers": (
        (a_health("performance"), a_thread(RETRAIN, 5)), {"on_alarm": ("retraining_pull_request",)}, [],
    ),
    "gone: all are closed": (
        (a_health(), a_thread("drift", 4), a_thread(RETRAIN, 5)), {}, [("close", "drift", 4), ("close", RETRAIN, 5)],
    ),
    "not judged is not gone": ((a_health(judged=False), a_thread("drift", 4), a_thread(RETRAIN, 5)), {}, []),
    "labels alone do not say that the inputs are well": (
        (a_health().model_copy(update={"drift": (a_health().drift[0].model_copy(update={"role": "target"}),)}),
         a_thread("drift", 4), a_thread("performance", 5)), {}, [("close", "performance", 5)],
    ),
    "one of two causes is gone": (
        (a_health("drift"), a_thread("drift", 4), a_thread("performance", 5)), {"on_alarm": ("issue",)},
        [("edit", "drift", 4), ("close", "performance", 5)],
    ),
    "a closed issue opens anew when the cause comes back": (
        (a_health("drift"), a_thread("drift", 4, days_ago=9, closed=5)), {"on_alarm": ("issue",),
         "past": [a_health("drift", at=-6), a_health(at=-3)]}, [DRIFT],
    ),
    "closed by hand, the cause never gone": (
        (a_health("drift"), a_thread("drift", 4, days_ago=9, closed=5)), {"on_alarm": ("issue",),
         "past": [a_health("drift", at=-6), a_health("drift", at=-3)]}, [],
    ),
    "a merged retraining is no refusal": (
        (a_health("performance"), a_thread(RETRAIN, 4, closed=1, is_merged=True)),
        {"on_alarm": ("retraining_pull_request",), "past": [a_health("performance", at=-2)]}, [("open", RETRAIN, None)],
    ),
    "the budget of the month is spent": (
        (a_health("drift", "skew"), a_thread("traffic", 4, closed=1)), {"on_alarm": ("issue",), "budget_a_month": 2},
        [DRIFT],
    ),
    "what was opened long ago is not of this month": (
        (a_health("drift"), a_thread("traffic", 4, days_ago=31, closed=1)),
        {"on_alarm": ("issue",), "budget_a_month": 1}, [DRIFT],
    ),
    "an issue that quotes the marker in its text": (
        (a_health("drift"), a_thread("drift", 4, body=f"see {marker(a_health(), 'drift')}")), {"on_alarm": ("issue",)},
        [DRIFT],
    ),
    "another environment's issue": (
        (a_health("drift"), a_thread("drift", 4, body=marker(a_health(), "drift").replace("production", "staging"))),
        {"on_alarm": ("issue",)}, [DRIFT],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_follows(case: str) -> None:
    given_, changes, expected = CASES[case]
    assert short(act(*given_, **changes)[0]) == expected


def test_nothing_to_retrain_on_is_said() -> None:
    acts, said = act(
        a_health("performance"), why_not="no logged row has a label", on_alarm=("retraining_pull_request",)
    )
    assert acts == [] and said == ["retrain: no logged row has a label"]


def test_a_spent_budget_is_said() -> None:
    _, said = act(a_health("drift"), on_alarm=("issue",), budget_a_month=0)
    assert said == ["drift: the 0 a month of the policy are spent"]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.sets(st.sampled_from(CAUSES)), st.booleans(), st.booleans()), max_size=12))
def test_whatever_happens_one_thread_is_open_a_cause_and_the_budget_holds(
    days: list[tuple[set[str], bool, bool]],
) -> None:
    """Days of alarms, of windows that could not be judged, and of people who close everything."""
    threads: dict[int, Thread] = {}
    past: list[Health] = []
    budget = 3
    for day, (causes, judged, people_close) in enumerate(days):
        now = NOON + timedelta(days=day)
        health = a_health(*sorted(causes, key=CAUSES.index), at=day, judged=judged or bool(causes))
        monitor = Monitor(predictions="log", labels="l", on_alarm=ALL, budget_a_month=budget)
        situation = Situation(health, monitor, past, list(threads.values()), now, WORDS)
        for one in follow(situation)[0]:
            if one.kind == "open":
                body = f"{marker(health, one.about)}\nx"
                threads[len(threads)] = Thread(len(threads), "t", body, "open", now, one.about == RETRAIN)
            if one.kind == "close":
                assert one.number is not None and one.about not in health.causes
                threads[one.number] = replace(threads[one.number], state="closed", closed_at=now)
        again = follow(replace(situation, threads=list(threads.values())))[0]
        assert all(one.kind == "edit" for one in again), "asked again, nothing new is opened or closed"
        if people_close:
            later = now + timedelta(hours=1)
            threads = {
                number: replace(one, state="closed", closed_at=later) if one.state == "open" else one
                for number, one in threads.items()
            }
        past.append(health)
        marks = [one.body.partition("\n")[0] for one in threads.values() if one.state == "open"]
        assert len(marks) == len(set(marks))
    assert len(threads) <= budget
