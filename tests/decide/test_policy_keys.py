# ruff: noqa: E501 (one row a case)
"""Every key of the four policy files, one row a key: two values, and two verdicts that differ. A key without a row fails.

To add a key: a row in `ROWS` when a verdict shows it, else the test that shows it in `ELSEWHERE`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.decide.allowed import command_node
from bot.decide.case import Case
from bot.decide.decide import decide
from bot.decide.rehearse import rehearsed
from bot.pipeline import reconcile_job
from bot.records.decision import Node
from bot.specs.policies import Policies
from bot.specs.policies.loader import FILES
from bot.specs.policies.tests import Given
from tests.decide.world import COMMANDS, ENVIRONMENTS, NOW, ROLES, p1
from tests.test_wiring import specs_of

ROOT = Path(__file__).resolve().parents[2]
ONE = "approvals: [{role: reviewers, count: 1}]"
OK = {"author": "bob", "people": [{"account": "bob#51"}], "opinions": ["rev approves"]}
BOTH = "approvals: [{role: reviewers, count: 1}, {role: owners, count: 1}]"


def rules(
    require: str = ONE, when: str = "always: true", rule: str = "", tiers: str = "{name: low, match: {always: true}}",
    vetoes: str = "{name: hold, when: {held: true}, release_roles: [releasers]}", merge: str = "all_of: [reviewed]",
    more: str = "", name: str = "reviewed",
    second: str = "models: [never-called-so]",
) -> str:  # fmt: skip
    """approvals.yaml with one rule, of which a row changes one part."""
    return (
        f"apiVersion: policy/v1\nkind: ApprovalPolicy\nrisk_tiers: [{tiers}]\n"
        f"rules:\n  - {{name: {name}, when: {{{when}}}, require: {{{require}}}{rule}}}\n"
        f"  - {{name: second, when: {{{second}}}, require: {{approvals: [{{role: owners, count: 1}}]}}}}\n"
        f"vetoes: [{vetoes}]\nmerge: {{{merge.replace('reviewed', name)}}}\n{more}"
    ).replace("merge: {all_of: [" + name + "]}", "merge: {all_of: [" + name + ", second]}")


def places(production: str = "", more: str = "") -> str:
    """environments.yaml of which a row changes production."""
    text = ENVIRONMENTS.replace(
        "    rollback: {roles: [releasers]}", f"    rollback: {{roles: [releasers]}}\n{production}"
    )
    return text + more


CHECK = "checks: [{name: ci, app_id: 15368, workflow: .github/workflows/ci.yml, events: [push]}]"
ROLLBACK = {
    "subject": "production", "action": "rollback", "asked_by": "rel", "live_hours": {"production": 1.0}, "merged": True,
}  # fmt: skip
TO = {"subject": "production", "asked_by": "rel", "live_hours": {"staging": 30.0}, **OK}
GLASS = (
    "break_glass:\n  roles: {roles}\n  min_people: {people}\n  environments: [production]\n  bypasses: [soak_time]\n"
    "  confirm_within: {within}\n  max_duration: {long}\n  review: {{role: validators, within: 48h}}\n"
)
WINDOW = (
    "freeze_windows:\n  - {{name: w, kind: {kind}, environments: [{environment}], dtstart: '{start}', rrule: {rrule}, "
    "duration: {duration}, time_zone: {zone}, exempt_actions: [{exempt}], reason: {reason}}}\n"
)
OPEN = {
    "kind": "deny", "environment": "production", "start": "2026-03-04T00:00:00", "rrule": "FREQ=DAILY", "duration": "24h",
    "zone": "UTC", "exempt": "", "reason": "audit",
}  # fmt: skip


def window(**changes: str) -> dict[str, str]:
    return {"environments": places(more=WINDOW.format(**{**OPEN, **changes}))}


def frozen_back(**changes: str) -> dict[str, str]:
    """A window that also stops rollbacks."""
    text = window(**changes)["environments"]
    return {
        "environments": text.replace(
            "rollback: {roles: [releasers]}", "rollback: {roles: [releasers], exempt_from: []}"
        )
    }


def a(**parts: str) -> dict[str, str]:
    return {"approvals": rules(**parts)}


def e(text: str = "", more: str = "") -> dict[str, str]:
    return {"environments": places(f"    {text}\n" if text else "", more)}


def c(text: str) -> dict[str, str]:
    return {"commands": COMMANDS + f"  {text}\n"}


TIERS = "{{name: high, match: {{{}}}}}, {{name: low, match: {{always: true}}}}"

Row = tuple[str, dict[str, str], dict[str, str], dict[str, Any]]
ROWS: list[Row] = [
    ("Roles.roles", {"roles": ROLES}, {"roles": ROLES.replace("rev#11, rev2#12", "rev2#12")}, {**OK, "people": [{"account": "bob#51"}, {"account": "rev#11"}]}),
    ("Role.users", {"roles": ROLES}, {"roles": ROLES.replace("rev#11, rev2#12", "rev2#12")}, {**OK, "people": [{"account": "bob#51"}, {"account": "rev#11"}]}),
    ("Role.teams", {"roles": ROLES.replace("{users: [rev#11, rev2#12]}", "{users: [rev2#12], teams: [acme/qa]}")}, {"roles": ROLES.replace("{users: [rev#11, rev2#12]}", "{users: [rev2#12], teams: [acme/dev]}")}, {**OK, "people": [{"account": "bob#51"}, {"account": "rev#11", "teams": ["acme/qa"]}]}),
    ("Role.apps", {"roles": ROLES.replace("reviewers: {users", 'reviewers: {apps: ["ci[bot]#90"], users')}, {"roles": ROLES.replace("owners: {users", 'owners: {apps: ["ci[bot]#90"], users')}, {**OK, "opinions": ["ci[bot] approves"]}),
    ("Role.permission", {"roles": ROLES}, {"roles": ROLES.replace("[rev#11, rev2#12]", "[rev#11, rev2#12], permission: admin")}, {**OK, "permissions": {"rev": "write"}}),
    ("ApprovalPolicy.defaults", a(), a(more="defaults: {approval_methods: [command]}\n"), OK),
    ("Defaults.exclude_approvers", a(), a(more="defaults: {exclude_approvers: []}\n"), {**OK, "author": "rev"}),
    ("Defaults.unattributed_commits", a(), a(more="defaults: {unattributed_commits: ignore}\n"), {**OK, "unattributed": True}),
    ("Defaults.approval_methods", a(), a(more="defaults: {approval_methods: [command]}\n"), OK),
    ("Defaults.retain_on", a(), a(more="defaults: {retain_on: []}\n"), {**OK, "opinions": [{"by": "rev", "head": "same"}]}),
    ("Defaults.valid_for", a(), a(more="defaults: {valid_for: 1h}\n"), {**OK, "opinions": [{"by": "rev", "hours_ago": 2}]}),
    ("ApprovalPolicy.risk_tiers", a(), a(tiers="{name: other, match: {always: true}}"), OK),
    ("Tier.name", a(), a(tiers="{name: other, match: {always: true}}"), OK),
    ("Tier.match", a(tiers=TIERS.format("from_fork: true")), a(tiers=TIERS.format("from_fork: false")), OK),
    ("Tier.raised_by_label", a(tiers="{name: high, match: {from_fork: true}, raised_by_label: danger}, {name: low, match: {always: true}}"), a(tiers="{name: high, match: {from_fork: true}, raised_by_label: other}, {name: low, match: {always: true}}"), {**OK, "labels": ["danger"]}),
    ("ApprovalPolicy.rules", a(), a(require="approvals: [{role: owners, count: 1}]"), OK),
    ("Rule.name", a(), a(name="looked-at"), OK),
    ("Rule.when", a(), a(when="from_fork: true"), OK),
    ("When.always", a(), a(when="from_fork: true"), OK),
    ("When.risk_tier", a(when="risk_tier: [low]", tiers=TIERS.format("from_fork: true")), a(when="risk_tier: [high]", tiers=TIERS.format("from_fork: true")), OK),
    ("When.change_kinds", a(when="change_kinds: [spec]"), a(when="change_kinds: [data]"), OK),
    ("When.models", a(when="models: [some-*]"), a(when="models: [other-*]"), OK),
    ("When.models_changed", a(when="models_changed: true"), a(when="models_changed: false"), OK),
    ("When.declared_tier", a(when="declared_tier: [high]"), a(when="declared_tier: [low]"), {**OK, "models": [{"name": "m", "declared_tier": "high"}]}),
    ("When.paths", a(when='paths: ["models/**"]'), a(when='paths: ["data/**"]'), OK),
    ("When.only_paths", a(when='only_paths: ["models/**"]'), a(when='only_paths: ["models/x/**"]'), OK),
    ("When.base_branches", a(when="base_branches: [main]"), a(when="base_branches: [release]"), OK),
    ("When.from_fork", a(when="from_fork: false"), a(when="from_fork: true"), OK),
    ("When.author_roles", a(when="author_roles: [owners]"), a(when="author_roles: [validators]"), {**OK, "author": "own"}),
    ("When.any_of", a(when="any_of: [{from_fork: true}, {always: true}]"), a(when="any_of: [{from_fork: true}]"), OK),
    ("When.all_of", a(when="all_of: [{always: true}]"), a(when="all_of: [{always: true}, {from_fork: true}]"), OK),
    ("When.none_of", a(when="none_of: [{from_fork: true}]"), a(when="none_of: [{from_fork: false}]"), OK),
    ("Rule.require", a(), a(require=BOTH), OK),
    ("Require.approvals", a(), a(require=BOTH), OK),
    ("Requirement.role", a(), a(require="approvals: [{role: owners, count: 1}]"), OK),
    ("Requirement.roles", a(require="approvals: [{roles: [reviewers, owners], count: 1}]"), a(require="approvals: [{roles: [validators, owners], count: 1}]"), OK),
    ("Requirement.count", a(), a(require="approvals: [{role: reviewers, count: 2}]"), OK),
    ("Requirement.valid_for", a(), a(require="approvals: [{role: reviewers, count: 1, valid_for: 1h}]"), {**OK, "opinions": [{"by": "rev", "hours_ago": 2}]}),
    ("Requirement.not_contributor_within", a(), a(require="approvals: [{role: reviewers, count: 1, not_contributor_within: 30d}]"), {**OK, "built_days_ago": {"rev": 5}}),
    ("Require.evaluation", a(), a(require=f"evaluation: passes, {ONE}"), {**OK, "models": [{"name": "m", "gates": "fail"}]}),
    ("Require.distinct_approvers", {"approvals": rules(require=BOTH), "roles": ROLES.replace("own#21", "own#21, rev#11")}, {"approvals": rules(require=f"distinct_approvers: false, {BOTH}"), "roles": ROLES.replace("own#21", "own#21, rev#11")}, OK),
    ("Require.checks", a(), a(require=f"{ONE}, {CHECK}"), OK),
    ("CheckRequirement.name", a(require=f"{ONE}, {CHECK}"), a(require=f"{ONE}, {CHECK}".replace("name: ci", "name: unit")), OK),
    ("CheckRequirement.conclusions", a(require=f"{ONE}, checks: [{{name: ci, app_id: 7}}]"), a(require=f"{ONE}, checks: [{{name: ci, app_id: 7, conclusions: [success, neutral]}}]"), {**OK, "checks": {"ci": "neutral"}}),
    ("Rule.exclude_approvers", a(), a(rule=", exclude_approvers: []"), {**OK, "author": "rev"}),
    ("Rule.approval_methods", a(), a(rule=", approval_methods: [command]"), OK),
    ("ApprovalPolicy.vetoes", a(), a(vetoes="{name: objection, when: {changes_requested_by: [owners]}}"), {**OK, "opinions": ["rev approves", "own holds"]}),
    ("Veto.name", a(), a(vetoes="{name: stop, when: {held: true}, release_roles: [releasers]}"), OK),
    ("Veto.when", a(), a(vetoes="{name: hold, when: {changes_requested_by: [owners]}}"), {**OK, "opinions": ["rev approves", "own holds"]}),
    ("Veto.release_roles", a(), a(vetoes="{name: hold, when: {held: true}, release_roles: [validators]}"), {**OK, "opinions": ["rev approves", "own holds"]}),
    ("VetoWhen.held", a(), a(vetoes="{name: hold, when: {changes_requested_by: [owners]}}"), {**OK, "opinions": ["rev approves", "own holds"]}),
    ("VetoWhen.changes_requested_by", a(vetoes="{name: objection, when: {changes_requested_by: [owners]}}"), a(vetoes="{name: objection, when: {changes_requested_by: [validators]}}"), {**OK, "opinions": ["rev approves", "own rejects"]}),
    ("VetoWhen.artifact_revoked", a(vetoes="{name: objection, when: {artifact_revoked: true}}"), a(), {**OK, "models": [{"name": "m", "revoked": True}]}),
    ("ApprovalPolicy.merge", a(merge="any_of: [reviewed, second]", second="always: true"), a(second="always: true"), OK),
    ("Merge.any_of", a(merge="any_of: [reviewed, second]", second="always: true"), a(second="always: true"), OK),
    ("Merge.all_of", a(second="always: true"), a(merge="any_of: [reviewed, second]", second="always: true"), OK),
    ("ApprovalPolicy.guarded_base_branches", a(), a(more="guarded_base_branches: [release]\n"), OK),
    ("ApprovalPolicy.separation_of_duties", a(), a(more="separation_of_duties: [{name: two, environments: [production], distinct: [approver, promoter]}]\n"), {**TO, "opinions": ["rel approves", "rev approves"]}),
    ("Environments.environments", e(), e(more="  canary: {promoters: [releasers]}\n"), {**TO, "subject": "canary"}),
    ("Environment.allowed_base_branches", e("allowed_base_branches: [main]"), e("allowed_base_branches: [release]"), TO),
    ("Environment.promote_from", e(), {"environments": ENVIRONMENTS.replace("    promote_from: [staging]\n", "")}, {**TO, "live_hours": {}}),
    ("Environment.promoters", e(), {"environments": ENVIRONMENTS.replace("promoters: [releasers]\n    rollback", "promoters: [owners]\n    rollback")}, TO),
    ("Environment.approvals", e(), e("approvals: [{role: validators, count: 1}]"), TO),
    ("Environment.soak_time", e("soak_time: 24h"), e("soak_time: 48h"), TO),
    ("Environment.wait_timer", e("wait_timer: 1s"), e("wait_timer: 48h"), TO),
    ("Environment.requires_gates", e("requires_gates: []"), e("requires_gates: [merge]"), {**TO, "opinions": []}),
    ("Environment.verification", e(), e("verification: {workflow: .github/workflows/verify.yml, max_age: 24h}"), TO),
    ("Environment.rollback", e(), {"environments": ENVIRONMENTS.replace("{roles: [releasers]}", "{roles: [owners]}")}, ROLLBACK),
    ("Rollback.roles", e(), {"environments": ENVIRONMENTS.replace("{roles: [releasers]}", "{roles: [owners]}")}, ROLLBACK),
    ("Environments.freeze_windows", window(), e(), TO),
    ("Window.name", window(), {"environments": places(more=WINDOW.format(**OPEN).replace("name: w,", "name: x,"))}, TO),
    ("Window.kind", window(), window(kind="allow"), TO),
    ("Window.environments", window(), window(environment="staging"), TO),
    ("Window.dtstart", window(), window(start="2027-03-04T00:00:00"), TO),
    ("Window.rrule", window(), window(rrule="FREQ=DAILY;UNTIL=20260303T235959"), TO | {}),
    ("Window.duration", window(duration="24h"), window(duration="1h"), TO),
    ("Window.time_zone", window(start="2026-03-04T05:00:00", duration="3h", zone="America/New_York"), window(start="2026-03-04T05:00:00", duration="3h"), TO),
    ("Window.exempt_actions", frozen_back(), frozen_back(exempt="rollback"), ROLLBACK),
    ("Rollback.exempt_from", frozen_back(), window(), ROLLBACK),
    ("Window.reason", window(), window(reason="harvest"), TO),
]  # fmt: skip

# Of CommandRule: (key, rule, other rule, who, what is given).
ASKED: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("Commands.commands", "lock: {permission: read}", "unlock: {permission: read}", "rev", OK),
    ("CommandRule.roles", "lock: {roles: [reviewers]}", "lock: {roles: [owners]}", "rev", OK),
    ("CommandRule.permission", "lock: {permission: read}", "lock: {permission: admin}", "rev", {**OK, "permissions": {"rev": "write"}}),
    ("CommandRule.or_author", "lock: {roles: [owners]}", "lock: {roles: [owners], or_author: always}", "bob", OK),
    ("CommandRule.stages", "lock: {permission: read}", "lock: {permission: read, stages: [merged]}", "rev", OK),
    ("Commands.prefix", "lock: {roles: [owners]}", "lock: {roles: [owners]}\nprefix: ml", "rev", OK),
]  # fmt: skip

# Words for people, which change nothing.
WORDS = {"Role.description", "Rule.description", "Environment.description"}

# What no verdict shows, and the test that shows it.
ELSEWHERE: dict[str, str] = {
    **dict.fromkeys(("api_version", "kind"), "tests/specs/test_policies.py"),
    "Roles.addresses": "tests/specs/test_policies.py",
    "Defaults.suggestions_count": "tests/decide/test_scenarios.py",
    "Require.role_check": "tests/decide/test_scenarios.py",
    "CheckRequirement.app_id": "tests/decide/test_scenarios.py",
    "CheckRequirement.reported_by": "tests/decide/test_scenarios.py",
    "CheckRequirement.workflow": "tests/decide/test_scenarios.py",
    "CheckRequirement.ref": "tests/decide/test_scenarios.py",
    "CheckRequirement.events": "tests/decide/test_scenarios.py",
    "Merge.distinct_approvers": "tests/decide/test_scenarios.py",
    **dict.fromkeys(("Group.any_of", "Group.all_of"), "tests/decide/test_combine.py"),
    **dict.fromkeys(("Separation.name", "Separation.environments", "Separation.distinct"), "tests/decide/test_promotion.py"),
    **dict.fromkeys(
        ("ApprovalPolicy.delegation", "DelegationRule.roles", "DelegationRule.max_duration"), "tests/decide/test_orders.py"
    ),
    **dict.fromkeys(
        (
            "Environments.break_glass", "BreakGlass.roles", "BreakGlass.min_people", "BreakGlass.environments",
            "BreakGlass.bypasses", "BreakGlass.never_bypasses", "BreakGlass.confirm_within", "BreakGlass.max_duration",
            "BreakGlass.review", "BreakGlassReview.role", "BreakGlassReview.within", "Rollback.target",
            "VerificationRule.workflow", "VerificationRule.max_age",
            "VerificationRule.reproduced",
        ),
        "tests/decide/test_promotion.py",
    ),
    "Environment.auto_promote": "tests/promote/test_job.py",
    "Environment.delivery": "tests/promote/test_proposals.py",
    "Environment.automatic_rollback": "tests/decide/test_policy_keys.py",
    "Environment.rollback_drill": "tests/promote/test_job.py",
    "Environment.verify_before_serving": "tests/serve/test_follow.py",
    **dict.fromkeys(
        (
            "Environment.monitor", "Monitor.predictions", "Monitor.labels", "Monitor.server", "Monitor.every",
            "Monitor.labels_within", "Monitor.false_alarms_per_month", "Monitor.least_effect", "Monitor.persistence",
            "Monitor.least_rows", "Monitor.most_errors", "Monitor.most_p99", "Monitor.on_alarm",
            "Monitor.budget_a_month", "Monitor.least_retraining_rows", "Persistence.needed", "Persistence.of",
        ),
        "tests/monitor/test_job.py",
    ),
    **dict.fromkeys(
        ("CommandRule.require_target", "CommandRule.budget", "Budget.per_actor_per_day"),
        "tests/pipeline/test_chatops_job.py",
    ),
}  # fmt: skip


def policies(texts: dict[str, str]) -> Policies:
    return p1(**{"approvals": rules(), "environments": places(), **texts})  # type: ignore[arg-type]


def nodes(tree: Node) -> Iterator[tuple[Any, ...]]:
    yield tree.name, tree.status, tree.reason_code, tree.sentence, tree.who_can
    for child in tree.children:
        yield from nodes(child)


def verdict(texts: dict[str, str], given: dict[str, Any]) -> tuple[Any, ...]:
    """All that a person sees of a decision."""
    loaded = policies(texts)
    found = decide(rehearsed(Given.model_validate_json(json.dumps(given)), loaded, NOW), loaded, NOW)
    return found.status, found.headline, found.risk_tier, found.unblock, tuple(nodes(found.tree))


@pytest.mark.parametrize(("key", "one", "other", "given"), ROWS, ids=[row[0] for row in ROWS])
def test_two_values_of_a_key_give_two_verdicts(
    key: str, one: dict[str, str], other: dict[str, str], given: dict[str, Any]
) -> None:
    assert verdict(one, given) != verdict(other, given), key


@pytest.mark.parametrize(("key", "one", "other", "who", "given"), ASKED, ids=[row[0] for row in ASKED])
def test_two_values_of_a_key_of_commands_give_two_answers(
    key: str, one: str, other: str, who: str, given: dict[str, Any]
) -> None:
    answers = []
    for text in (one, other):
        loaded = policies(c(text))
        facts = rehearsed(Given.model_validate_json(json.dumps(given)), loaded, NOW)
        actor = next(one.account.id for one in facts.actors if one.account.login == who)
        answers.append(command_node("lock", actor, Case(facts, loaded, NOW)))
    assert answers[0] != answers[1], key


def test_every_key_of_a_policy_has_a_row() -> None:
    """A key without a row fails: the next one that nobody reads would be seen by nobody."""
    seen: dict[Any, None] = {}
    for kind in FILES.values():
        specs_of(kind, seen)
    keys = {f"{kind.__name__}.{name}" for kind in seen for name in kind.model_fields}
    known = {row[0] for row in ROWS} | {row[0] for row in ASKED} | set(ELSEWHERE) | WORDS
    missing = {key for key in keys - known if key.partition(".")[2] not in ELSEWHERE}
    assert missing == set(), "add a row"
    assert {one for one in known if "." in one} <= keys, "a row of a key that is gone"


@pytest.mark.parametrize("file", sorted(set(ELSEWHERE.values())))
def test_what_shows_a_key_elsewhere_is_there_and_names_it(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    keys = [key.rpartition(".")[2] for key, where in ELSEWHERE.items() if where == file]
    assert any(key in text for key in keys), f"{file} names none of {keys}"


def test_an_environment_rolls_back_by_itself_where_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """`automatic_rollback` is what the job hands to the stage that rolls back."""
    asked: list[bool] = []
    monkeypatch.setattr(reconcile_job, "follow_up", lambda *_, is_enabled, **__: asked.append(is_enabled))
    monkeypatch.setattr(reconcile_job, "summarizer", lambda *_: None)
    for text in ("automatic_rollback: true", "automatic_rollback: false"):
        production = policies(e(text)).environments.environments["production"]
        reconcile_job._kept_up("churn", "production", production, SimpleNamespace(ports=None, default_sha=""))  # type: ignore[arg-type]
    assert asked == [True, False]
