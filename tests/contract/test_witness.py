"""One suite for port Witness: the fake and GitHub's own, which here gives answers of the same content."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.github_witness import GitHubWitness
from bot.ports import Witness
from bot.records.facts import Check
from tests.fakes.witness import FakeWitness

SHA, SINCE = "1" * 40, datetime(2026, 1, 1, tzinfo=UTC)
GREEN = Check(name="unit", app_id=7, workflow=None, ref=None, event=None, conclusion="success")


def fake(*, tells: bool) -> Witness:
    if not tells:
        return FakeWitness(reported=None, touched=None)
    return FakeWitness({("acme/models", "change", SHA): [4]}, {SHA: [GREEN]})


def real(*, tells: bool) -> Witness:
    def ask(_verb: str, path: str) -> Any:
        from github import GithubException

        if not tells:
            raise GithubException(404, {"message": "Not Found"}, {})
        if "/activity" in path:
            return [{"after": SHA, "actor": {"id": 4}}] if "heads%2Fchange" in path else []
        if "/check-runs" in path:
            run = {"id": 1, "name": "unit", "app": {"id": 7}, "check_suite": {"id": 1}, "status": "completed",
                   "conclusion": "success"}  # fmt: skip
            found = [run] if "check_name=unit" in path else []
            return {"total_count": len(found), "check_runs": found}
        return []

    return GitHubWitness(ask, "/repos/acme/models", "main")


@pytest.mark.parametrize("make", [fake, real])
def test_what_is_known_is_told(make: Any) -> None:
    port = make(tells=True)
    assert port.pushers("acme/models", "change", SHA) == [4]
    assert port.pushers("acme/models", "other", SHA) is None
    assert port.checks(SHA, ["unit"]) == [GREEN]
    assert port.checks(SHA, ["lint"]) == []
    assert port.history("models/churn/model.yaml", SINCE) == []


@pytest.mark.parametrize("make", [fake, real])
def test_what_is_not_told_is_none_and_never_nothing(make: Any) -> None:
    port = make(tells=False)
    assert port.pushers("acme/models", "change", SHA) is None
    assert port.checks(SHA, ["unit"]) is None
    assert port.history("models/churn/model.yaml", SINCE) is None
