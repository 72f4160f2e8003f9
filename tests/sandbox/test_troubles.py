"""A sandbox on a bad day: events that go astray, calls whose answer is lost, late schedules, time that passes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.sandbox.clock import Clock
from bot.sandbox.hub import Happening
from bot.sandbox.world import Sandbox

RECONCILE = b"""
name: reconcile
on:
  schedule: [{cron: "17 * * * *"}, {cron: "no cron line"}]
  workflow_dispatch:
jobs:
  say:
    runs-on: ubuntu-24.04-arm
    steps: [{run: 'python -c "import bot.adapters.clock as c; print(c.SystemClock().now().isoformat())"'}]
"""


@pytest.fixture
def came(world: Sandbox) -> list[str]:
    """What reaches the engine, as `event action`; nothing runs."""
    seen: list[str] = []
    world.events.deliver = lambda one: seen.append(f"{one.event} {one.action}".strip())
    return seen


def say(world: Sandbox, *events: str) -> None:
    for one in events:
        event, _, action = one.partition(" ")
        world.announce(event, {"action": action, "pull_request": {"number": 7}} if action else {})


def test_an_event_is_lost_so_many_times(world: Sandbox, came: list[str]) -> None:
    world.events.lose("pull_request_target", "reopened", times=2)
    world.events.lose("issue_comment", number=8)
    say(world, "pull_request reopened", "push", "pull_request closed", "pull_request reopened", "pull_request reopened")
    say(world, "issue_comment created")
    assert came == ["push", "pull_request closed", "pull_request reopened", "issue_comment created"]
    assert [(fate, one.action) for fate, one in world.events.log] == [("lost", "reopened")] * 2


def test_an_event_comes_more_than_once(world: Sandbox, came: list[str]) -> None:
    world.events.repeat(copies=2)
    say(world, "push", "pull_request closed")
    assert came == ["push", "push", "push", "pull_request closed"]


def test_events_come_in_another_order(world: Sandbox, came: list[str]) -> None:
    world.events.reorder("pull_request", count=2)
    say(world, "pull_request closed", "push", "pull_request reopened", "pull_request edited")
    assert came == ["push", "pull_request reopened", "pull_request closed", "pull_request edited"]


def test_an_event_waits_until_it_is_released(world: Sandbox, came: list[str]) -> None:
    world.events.delay("push", times=2)
    world.events.reorder("pull_request", count=3)
    say(world, "push", "pull_request closed", "push", "push")
    assert came == ["push"]
    assert world.events.release() == 3
    assert came == ["push", "push", "push", "pull_request closed"]


def test_an_event_comes_late_by_the_time_of_the_sandbox(world: Sandbox, came: list[str]) -> None:
    world.events.delay("schedule", seconds=7200)
    say(world, "schedule")
    world.clock.advance(hours=1)
    assert came == [] and world.events.under_way == 1
    world.clock.advance(hours=1)
    assert came == ["schedule"] and world.events.under_way == 0


def test_what_comes_late_is_waited_for(world: Sandbox, came: list[str]) -> None:
    world.events.delay("push", seconds=0)
    say(world, "push")
    world.settle(10)
    assert came == ["push"]


def test_the_clock_stands_still_when_it_shall() -> None:
    clock, at = Clock(), datetime(2026, 3, 1, 12, tzinfo=UTC)
    clock.set(at)
    assert timedelta(0) <= clock() - at < timedelta(seconds=5)
    clock.stand_still()
    clock.set(at)
    time.sleep(0.01)
    assert (clock(), clock.advance(days=1, minutes=2)) == (at, at + timedelta(days=1, minutes=2))


# --- calls

URL = "/repos/acme/models/issues"


def notes(world: Sandbox) -> list[str]:
    return [one.title for one in world.repo.issues.values()]


def test_a_call_fails_before_or_after_it_took_effect(world: Sandbox, call: Callable[..., Any]) -> None:
    dana = call("dana")
    world.fail_next("POST", "/issues$", 502)
    assert dana("POST", "/issues", {"title": "one"})[0] == 502 and notes(world) == []
    world.fail_next("POST", "/issues$", 502, when="after")
    assert dana("POST", "/issues", {"title": "two"})[0] == 502 and notes(world) == ["two"]
    assert dana("POST", "/issues", {"title": "three"})[0] == 201


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_is_reset(world: Sandbox, call: Callable[..., Any], when: Any) -> None:
    world.fail_next("POST", "/issues$", when=when, how="reset")
    with pytest.raises(requests.ConnectionError):
        call("dana")("POST", "/issues", {"title": "one"})
    assert notes(world) == (["one"] if when == "after" else [])
    assert call("dana")("GET", "/issues")[0] == 200


def test_an_answer_never_comes(world: Sandbox) -> None:
    world.fail_next("GET", "/issues$", how="hang", when="after")
    headers = {"Authorization": f"Bearer {world.token('dana')}"}
    with pytest.raises(requests.ReadTimeout):
        requests.get(world.api_url + URL, headers=headers, timeout=0.3)
    assert requests.get(world.api_url + URL, headers=headers, timeout=5).json() == []


def test_an_answer_is_of_yesterday(world: Sandbox, call: Callable[..., Any]) -> None:
    """What was written is not seen at once, which GitHub calls eventually consistent."""
    dana, number = call("dana"), world.propose("dana", "x", {"a.txt": b"1"}, "x")
    old = world.repo.issues[number].pull.head_sha  # type: ignore[union-attr]
    dana("PATCH", f"/pulls/{number}", {"title": "y"})
    world.clock.advance(minutes=5)
    new = world.commit("dana", "x", {"a.txt": b"2"}, "again")
    world.fail_next("GET", f"/pulls/{number}$", how="stale")
    world.fail_next("GET", f"/pulls/{number}$", how="stale", behind_s=60)
    world.fail_next("GET", f"/pulls/{number}$", how="stale", behind_s=3600)
    seen = [dana("GET", f"/pulls/{number}")[1] for _ in range(3)]
    assert [(one["head"]["sha"], one["title"]) for one in seen[:2]] == [(old, "y"), (old, "y")]
    now = dana("GET", f"/pulls/{number}")[1]
    assert (now["head"]["sha"], now["title"]) == (new, "y")


@pytest.mark.parametrize(
    ("fault", "there", "said"),
    [
        ({"status": 500}, False, "500"),
        ({"status": 502, "when": "after"}, True, "502"),
        ({"how": "reset", "times": 2}, False, "git"),  # curl tries again when a connection that it used before is reset
        ({"how": "reset", "when": "after"}, True, "git"),
        ({"how": "declined", "message": "GH013: no"}, False, "GH013: no"),
    ],
)
def test_a_push_fails(world: Sandbox, fault: dict[str, Any], there: bool, said: str) -> None:
    """Refused, or taken and the answer lost: both look like a failure to whoever pushes."""
    world.fail_next("POST", "git-receive-pack$", **fault)
    with pytest.raises(Exception, match=said):
        world.git("dana", "push", "-q", world.clone_url("dana"), "HEAD:refs/heads/new")
    assert (world.hub.bare(world.repo).branch("new") is not None) is there


# --- schedules


def listen(world: Sandbox) -> list[tuple[str, datetime]]:
    struck: list[tuple[str, datetime]] = []

    def deliver(one: Happening) -> None:
        if one.event == "schedule":
            struck.append((one.payload["schedule"], world.clock()))

    world.events.deliver = deliver
    return struck


def test_schedules_strike_as_time_passes_unless_they_are_lost(world: Sandbox) -> None:
    world.commit("rhea", "main", {".github/workflows/reconcile.yml": RECONCILE}, "workflow")
    struck = listen(world)
    world.clock.stand_still()
    world.clock.set(datetime(2027, 1, 1, 10, 30, tzinfo=UTC))
    world.events.lose("schedule")
    assert world.advance(hours=3) == datetime(2027, 1, 1, 13, 30, tzinfo=UTC)
    assert struck == [("17 * * * *", datetime(2027, 1, 1, hour, 17, tzinfo=UTC)) for hour in (12, 13)]


def test_schedules_end_after_60_days_without_a_push_and_the_workflow_is_off(
    world: Sandbox, call: Callable[..., Any]
) -> None:
    world.commit("rhea", "main", {".github/workflows/reconcile.yml": RECONCILE}, "workflow")
    struck, admin = listen(world), call("rhea")
    world.clock.stand_still()
    world.clock.advance(days=59)
    world.schedule("reconcile.yml")
    world.clock.advance(days=2)
    world.schedule("reconcile.yml")
    assert len(struck) == 1
    assert admin("GET", "/actions/workflows/reconcile.yml")[1]["state"] == "disabled_inactivity"
    assert admin("POST", "/actions/workflows/reconcile.yml/dispatches", {"ref": "main"})[0] == 422
    assert admin("PUT", "/actions/workflows/reconcile.yml/enable")[0] == 204
    assert admin("POST", "/actions/workflows/reconcile.yml/dispatches", {"ref": "main"})[0] == 204


@pytest.mark.engine
def test_a_run_follows_the_clock_of_the_sandbox(world: Sandbox) -> None:
    world.commit("rhea", "main", {".github/workflows/reconcile.yml": RECONCILE}, "workflow")
    world.clock.set(datetime(2030, 5, 6, 7, tzinfo=UTC))
    world.github("rhea").get_repo(world.repository).get_workflow("reconcile.yml").create_dispatch("main")
    (run,) = world.settle(30)
    assert "2030-05-06T07:" in Path(run.log).read_text()
