"""What a page says is live, from GitHub Deployments."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from bot.sandbox.pages.views import environments
from bot.sandbox.store import Deployment, DeploymentStatus

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def deployed(number: int, environment: str, payload: object, description: str) -> Deployment:
    done = [DeploymentStatus(number, "success", "", "bot", NOW)]
    return Deployment(number, "a" * 40, "main", "deploy", environment, payload, description, "bot", NOW, statuses=done)


def test_each_model_of_a_deployment_says_its_own_version_and_the_newest_deployment_of_it_counts():
    both = {
        "models": {"a": {"action": "promote", "version": "v1.0.0"}, "b": {"action": "promote", "version": "v2.0.0"}}
    }
    back = {"models": {"a": {"action": "rollback", "version": "v0.9.0"}}}
    found = [
        deployed(1, "staging", both, "promote a v1.0.0, promote b v2.0.0"),
        deployed(2, "staging", back, "rollback a v0.9.0"),
        deployed(3, "site", "somebody else's", "the web site"),
    ]
    shown = environments(SimpleNamespace(deployments=dict(enumerate(found))))
    assert [(one["deployment"].environment, one["model"], one["said"]) for one in shown] == [
        ("site", "", "the web site"),
        ("staging", "a", "rollback v0.9.0"),
        ("staging", "b", "promote v2.0.0"),
    ]
