"""`/status` says how the models of a change do where they are live, in a line each."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from bot.pipeline.health_line import health_lines
from bot.records.ledger import health_path
from tests.fakes.branch import FakeBranch
from tests.monitor.test_follow import a_health


def ledger(*records: Any) -> Any:
    files = {health_path(one.model, one.environment or "", one.judged_at or ""): one.canonical() for one in records}
    return SimpleNamespace(ledger=FakeBranch(files))


def test_the_newest_look_at_each_model_is_told() -> None:
    ports = ledger(a_health("drift"), a_health(at=1))
    said = health_lines(["churn", "never-judged"], ["staging", "production"], ports)
    assert said == "- churn v2.0.0 in production, 2026-11-24 12:00 UTC: healthy, nothing alarms."


def test_a_model_that_was_never_judged_is_not_spoken_of() -> None:
    assert health_lines(["churn"], ["production"], ledger()) == ""
