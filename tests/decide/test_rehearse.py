"""The policies' own tests can say what checks reported and who built a model before."""

from __future__ import annotations

from typing import Any

import pytest

from bot.decide.decide import decide
from bot.decide.rehearse import rehearsed
from bot.errors import UserError
from bot.specs.policies.tests import Given
from tests.decide.policies import require
from tests.decide.world import NOW, codes, p1

CHECKS = (
    "checks: [{name: unit, app_id: 15368, workflow: ci.yml, ref: refs/heads/main, events: [pull_request_target]}, "
    '{name: scan, reported_by: "scanner[bot]#4242"}]'
)
RULES = p1(
    approvals=require(
        "{approvals: [{role: reviewers, count: 1, not_contributor_within: 30d}], " + CHECKS + "}"
    )
)  # fmt: skip
GREEN = {"unit": "success", "scan": "success"}
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("both are green", {"checks": GREEN}, "approved", "approved"),
    ("none is there", {}, "pending", "check_missing"),
    ("one failed", {"checks": {**GREEN, "unit": "failure"}}, "pending", "check_failed"),
    ("one runs", {"checks": {**GREEN, "scan": "running"}}, "pending", "check_failed"),
    ("a check run is somebody else's", {"checks": {**GREEN, "unit": "forged"}}, "pending", "check_untrusted_source"),
    ("a status is somebody else's", {"checks": {**GREEN, "scan": "forged"}}, "pending", "check_untrusted_source"),
    ("rev built it lately", {"checks": GREEN, "built_days_ago": {"rev": 29}}, "pending", "recent_contributor"),
    ("rev built it long ago", {"checks": GREEN, "built_days_ago": {"rev": 31}}, "approved", "approved"),
]


@pytest.mark.parametrize(("given", "status", "code"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_what_a_policy_test_can_say(given: dict[str, Any], status: str, code: str) -> None:
    made = Given.model_validate({"opinions": ("rev approves",), **given})
    decision = decide(rehearsed(made, RULES, NOW), RULES, NOW)
    assert decision.status == status and code in codes(decision.tree), decision.headline


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"checks": {"unti": "success"}}, "no rule asks for the check unti"),
        ({"built_days_ago": {"eve": 1}}, "knows eve"),
    ],
    ids=["a check", "a person"],
)
def test_what_nobody_knows_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        rehearsed(Given.model_validate(given), RULES, NOW)
