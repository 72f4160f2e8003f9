"""Named policies of the scenarios: P1 with one thing changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.specs.policies import Policies
from tests.decide.world import APPROVALS, COMMANDS, ROLES, p1

TWO_HATS = ROLES.replace("validators: {users: [val#31]", "validators: {users: [val#31, own#21]")
BOTH = "{approvals: [{role: owners, count: 1}, {role: validators, count: 1}]}"


def defaults(text: str) -> str:
    return APPROVALS.replace("risk_tiers:", f"defaults: {text}\nrisk_tiers:", 1)


def require(text: str) -> str:
    return APPROVALS.replace("{approvals: [{role: reviewers, count: 1}]}", text)


def when(text: str) -> str:
    return APPROVALS.replace("when: {always: true}\n", f"when: {text}\n")


def more(name: str, when_: str, text: str, merge: str | None = None, tiers: str | None = None) -> str:
    """A second rule beside `reviewed`."""
    rule = f"  - name: {name}\n    when: {when_}\n    require: {text}\nvetoes:"
    found = APPROVALS.replace("vetoes:", rule, 1).replace("all_of: [reviewed]", merge or f"all_of: [reviewed, {name}]")
    return found.replace("  - {name: low, match: {always: true}}", tiers or "  - {name: low, match: {always: true}}")


TEAM_ROLES = ROLES.replace("reviewers: {users: [rev#11, rev2#12]}", "reviewers: {teams: [acme/reviewers]}")
TWO_RULES = APPROVALS.replace("{role: reviewers, count: 1}", "{role: owners, count: 1}").replace(
    "vetoes:",
    "  - name: validated\n    when: {always: true}\n    require: {approvals: [{role: validators, count: 1}]}\nvetoes:",
    1,
)

_MADE: dict[str, dict[str, str]] = {
    "P1": {},
    "committers only": {"approvals": defaults("{exclude_approvers: [committer]}")},
    "suggestions free": {"approvals": defaults("{suggestions_count: false}")},
    "unattributed ignored": {"approvals": defaults("{unattributed_commits: ignore}")},
    "reviews only": {"approvals": defaults("{approval_methods: [review]}")},
    "strict head": {"approvals": defaults("{retain_on: []}")},
    "three days": {"approvals": defaults("{valid_for: 72h}")},
    "nobody excluded": {"approvals": defaults("{exclude_approvers: []}")},
    "team": {"roles": TEAM_ROLES},
    "app": {"roles": ROLES.replace("reviewers: {users", 'reviewers: {apps: ["ci[bot]#90"], users')},
    "role at approval": {
        "approvals": require("{role_check: at_approval_and_evaluation, approvals: [{role: reviewers, count: 1}]}")
    },
    "owner and validator": {"approvals": require(BOTH)},
    "two hats one rule": {"approvals": require(BOTH), "roles": TWO_HATS},
    "two hats within": {
        "approvals": TWO_RULES.replace("merge: {all_of: [reviewed]}", "merge: {all_of: [reviewed, validated]}"),
        "roles": TWO_HATS,
    },
    "two hats across": {
        "approvals": TWO_RULES.replace(
            "merge: {all_of: [reviewed]}", "merge: {distinct_approvers: across_rules, all_of: [reviewed, validated]}"
        ),
        "roles": TWO_HATS,
    },
    "matching": {
        "approvals": require(BOTH),
        "roles": ROLES.replace("owners: {users: [own#21]", "owners: {users: [own#21, bob#51]").replace(
            "validators: {users: [val#31]", "validators: {users: [own#21]"
        ),
    },
    "two reviewers": {"approvals": require("{approvals: [{role: reviewers, count: 2}]}")},
    "owner only": {"approvals": require("{approvals: [{role: owners, count: 1}]}")},
    "target needed": {"commands": COMMANDS.replace("{permission: read}", "{permission: read, require_target: [low]}")},
    "evaluated": {"approvals": require("{evaluation: passes, approvals: [{role: reviewers, count: 1}]}")},
    "checked": {
        "approvals": require(
            "{checks: [{name: unit, app_id: 15368, workflow: ci.yml, ref: refs/heads/main}], "
            "approvals: [{role: reviewers, count: 1}]}"
        )
    },
    "forks need two": {"approvals": more("forked", "{from_fork: true}", "{approvals: [{role: reviewers, count: 2}]}")},
    "paths": {"approvals": more("secrets", '{paths: ["secret/**"]}', "{approvals: [{role: owners, count: 1}]}")},
    "only docs": {"approvals": when('{only_paths: ["docs/**"]}')},
    "guarded": {
        "approvals": more(
            "guards", "{change_kinds: [policy, evaluator]}", "{approvals: [{role: releasers, count: 1}]}"
        ).replace("when: {always: true}\n    require: {app", "when: {models_changed: true}\n    require: {app", 1)
    },
    "main only": {"approvals": APPROVALS + "guarded_base_branches: [main]\n"},
    "own branches": {"approvals": when("{from_fork: false}")},
    "nested": {
        "approvals": more(
            "forked",
            "{from_fork: true}",
            "{approvals: [{role: owners, count: 1}]}",
            merge="all_of: [{any_of: [forked, reviewed]}]",
        )
    },
    "either": {
        "approvals": more(
            "owned", "{always: true}", "{approvals: [{role: owners, count: 1}]}", merge="any_of: [reviewed, owned]"
        )
    },
    "tiers": {
        "approvals": more(
            "twice",
            "{risk_tier: [high]}",
            "{approvals: [{role: reviewers, count: 2}]}",
            tiers="  - {name: high, match: {from_fork: true}, raised_by_label: risky}\n"
            "  - {name: low, match: {always: true}}",
        )
    },
}


class _Policies(Mapping[str, Policies]):
    """Loaded when first asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, Policies] = {}

    def __getitem__(self, name: str) -> Policies:
        if name not in self._loaded:
            self._loaded[name] = p1(**_MADE[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_MADE)

    def __len__(self) -> int:
        return len(_MADE)


P = _Policies()
