# ruff: noqa: E501 (one row a case)
"""Lint finds policies that load and still do not do what they seem to."""

from __future__ import annotations

from pathlib import Path

import pytest

import bot.decide.conditions
import bot.decide.lint
import bot.decide.predicates
from bot.decide.lint import RULES, lint
from bot.specs.policies.conditions import When
from tests.decide.world import APPROVALS, COMMANDS, ENVIRONMENTS, NOW, ROLES, p1

EVALUATED = APPROVALS.replace("{approvals: [{role: r", "{evaluation: passes, approvals: [{role: r")
CLEAN = {"approvals": EVALUATED.replace("artifact_revoked: true}}", "artifact_revoked: true}}")}
WINDOW = (
    '\nfreeze_windows: [{name: w, kind: allow, environments: [production], dtstart: "2026-01-01T00:00:00", '
    "rrule: %s, duration: 1h, time_zone: UTC}]\n"
)
GLASS = (
    "\nbreak_glass: {roles: [%s], min_people: %s, environments: [production], bypasses: [soak_time], "
    "max_duration: 1h, review: {role: %s, within: 1d}%s}\n"
)
TWO_APART = "separation_of_duties: [{name: four, distinct: [approver, promoter]}]\n"

ROWS: list[tuple[str, dict[str, str], bool]] = [
    ("author_may_approve", {"approvals": EVALUATED.replace("risk_tiers:", "defaults: {exclude_approvers: []}\nrisk_tiers:")}, True),
    ("author_may_approve", {"approvals": EVALUATED.replace("    require:", "    exclude_approvers: [committer]\n    require:")}, True),
    ("author_may_approve", {}, False),
    ("break_glass_too_strong", {"environments": ENVIRONMENTS + GLASS % ("owners, releasers", 2, "validators", ", never_bypasses: [provenance]")}, True),
    ("break_glass_too_strong", {"environments": ENVIRONMENTS + GLASS % ("owners", 2, "validators", "")}, True),
    ("break_glass_too_strong", {"environments": ENVIRONMENTS + GLASS % ("owners, releasers", 2, "owners", "")}, True),
    ("break_glass_too_strong", {"environments": ENVIRONMENTS + GLASS % ("owners, releasers", 2, "validators", "")}, False),
    ("check_by_name_only", {"approvals": EVALUATED.replace("{evaluation: passes,", "{checks: [{name: ci, app_id: 15368, workflow: ci.yml}],")}, True),
    ("check_by_name_only", {"approvals": EVALUATED.replace("{evaluation: passes,", "{checks: [{name: ci, app_id: 15368, workflow: ci.yml, ref: refs/heads/main, events: [push]}],")}, False),
    ("check_by_name_only", {"approvals": EVALUATED.replace("{evaluation: passes,", "{checks: [{name: ci, app_id: 7}],")}, False),
    ("check_by_name_only", {"approvals": EVALUATED.replace("{evaluation: passes,", '{checks: [{name: ci, reported_by: "github-actions[bot]#41898282"}],')}, True),
    ("check_by_name_only", {"approvals": EVALUATED.replace("{evaluation: passes,", '{checks: [{name: ci, reported_by: "scanner[bot]#4242"}],')}, False),
    ("environment_cycle", {"environments": ENVIRONMENTS.replace("{promoters: [owners, releasers]", "{promote_from: [production], promoters: [owners, releasers]")}, True),
    ("environment_cycle", {}, False),
    ("gate_not_asked", {"approvals": APPROVALS}, True),
    ("gate_not_asked", {"environments": ENVIRONMENTS.replace("{promoters: [owners, releasers]", "{requires_gates: [], promoters: [owners, releasers]")}, True),
    ("gate_not_asked", {}, False),
    ("guarded_change_uncovered", {"approvals": EVALUATED.replace("when: {always: true}\n", "when: {models_changed: true}\n")}, True),
    ("guarded_change_uncovered", {}, False),
    ("promoter_cannot_exist", {"approvals": EVALUATED + TWO_APART, "environments": ENVIRONMENTS.replace("    promoters: [releasers]", "    promoters: [releasers]\n    approvals: [{role: releasers, count: 1}]")}, True),
    ("promoter_cannot_exist", {"approvals": EVALUATED + TWO_APART, "environments": ENVIRONMENTS.replace("    promoters: [releasers]", "    promoters: [releasers]\n    approvals: [{role: owners, count: 1}]")}, False),
    ("promoter_cannot_exist", {"environments": ENVIRONMENTS.replace("    promoters: [releasers]", "    promoters: [releasers]\n    approvals: [{role: releasers, count: 1}]")}, False),
    ("quorum_cannot_be_met", {"approvals": EVALUATED.replace("count: 1", "count: 3")}, True),
    ("quorum_cannot_be_met", {"approvals": EVALUATED.replace("count: 1", "count: 2")}, True),
    ("quorum_cannot_be_met", {"environments": ENVIRONMENTS.replace("    promoters: [releasers]", "    promoters: [releasers]\n    approvals: [{role: owners, count: 2}]")}, True),
    ("quorum_cannot_be_met", {"approvals": EVALUATED.replace("count: 1", "count: 9"), "roles": ROLES.replace("{users: [rev#11, rev2#12]}", "{teams: [acme/x]}")}, False),
    ("quorum_cannot_be_met", {}, False),
    ("role_unused", {}, True),
    ("role_unused", {"commands": COMMANDS.replace("hold: {permission: write}", "hold: {roles: [validators]}")}, False),
    ("rule_unreachable", {"approvals": EVALUATED.replace("when: {always: true}\n", "when: {from_fork: true, none_of: [{from_fork: true}]}\n")}, True),
    ("rule_unreachable", {"approvals": EVALUATED.replace("when: {always: true}\n", "when: {none_of: [{always: true}]}\n")}, True),
    ("rule_unreachable", {"approvals": EVALUATED.replace("when: {always: true}\n", 'when: {models: ["a"], models_changed: false}\n')}, True),
    ("rule_unreachable", {"approvals": EVALUATED.replace("when: {always: true}\n", "when: {risk_tier: [x]}\n").replace("{name: low, match: {always: true}}", "{name: low, match: {always: true}}\n  - {name: x, match: {always: true}}")}, True),
    ("rule_unreachable", {"approvals": EVALUATED.replace("when: {always: true}\n", "when: {any_of: [{none_of: [{always: true}]}]}\n")}, True),
    ("rule_unreachable", {"approvals": EVALUATED.replace("when: {always: true}\n", "when: {all_of: [{none_of: [{always: true}]}]}\n")}, True),
    ("rule_unreachable", {"approvals": EVALUATED.replace("when: {always: true}\n", "when: {from_fork: true, none_of: [{models_changed: true}]}\n")}, False),
    ("tier_unreachable", {"approvals": EVALUATED.replace("{name: low, match: {always: true}}", "{name: low, match: {always: true}}\n  - {name: x, match: {always: true}}")}, True),
    ("tier_unreachable", {}, False),
    ("veto_without_release", {"approvals": EVALUATED.replace("[reviewers]}, release_roles: [releasers]", "[reviewers]}")}, True),
    ("veto_without_release", {}, False),
    ("window_never_opens", {"environments": ENVIRONMENTS + WINDOW % "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, True),
    ("window_never_opens", {"environments": ENVIRONMENTS + WINDOW % "FREQ=DAILY;COUNT=3"}, True),
    ("window_never_opens", {"environments": ENVIRONMENTS + WINDOW % "FREQ=DAILY"}, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "changes", "is_found"), ROWS, ids=[f"{one[0]}-{number}" for number, one in enumerate(ROWS)]
)
def test_lint(rule: str, changes: dict[str, str], is_found: bool) -> None:
    found = [one for one in lint(p1(**{**CLEAN, **changes}), NOW) if one.rule == rule]
    assert bool(found) == is_found, [str(one) for one in found]
    for one in found:
        assert one.message and one.hint and one.place.line


def test_each_lint_rule_has_a_row_that_finds_and_one_that_does_not() -> None:
    assert {name for name, _, is_found in ROWS if is_found} == set(RULES)
    assert {name for name, _, is_found in ROWS if not is_found} == set(RULES)


@pytest.mark.parametrize(
    ("package", "listed", "other"),
    [
        (bot.decide.lint, set(RULES), {"finding"}),
        (bot.decide.predicates, set(bot.decide.predicates.PREDICATES), set()),
        (bot.decide.conditions, set(bot.decide.conditions.CONDITIONS), {"live"}),
    ],
    ids=["lint", "predicates", "conditions"],
)
def test_every_file_is_on_the_written_list(package: object, listed: set[str], other: set[str]) -> None:
    folder = Path(str(package.__file__)).parent  # type: ignore[attr-defined]
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == listed | other


def test_every_key_of_a_condition_has_a_predicate() -> None:
    assert set(When.model_fields) == set(bot.decide.predicates.PREDICATES) | {"any_of", "all_of", "none_of"}
