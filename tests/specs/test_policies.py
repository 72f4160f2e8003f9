# ruff: noqa: E501 (one row a case)
"""A policy that reads stricter than it is does not load, and the message names the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import Problems, UserError
from bot.specs.policies import read_policies
from bot.specs.policies.loader import policy_digest
from tests.decide.world import APPROVALS, COMMANDS, ENVIRONMENTS, ROLES

GOOD = {"roles": ROLES, "approvals": APPROVALS, "environments": ENVIRONMENTS, "commands": COMMANDS}
RULES = "rules:\n  - name: reviewed\n"


def load(**changes: str) -> None:
    read_policies({f"policies/{name}.yaml": text.encode() for name, text in {**GOOD, **changes}.items()})


def line_of(text: str, word: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if word in line)


def changed(file: str, old: str, new: str) -> tuple[str, str]:
    assert old in GOOD[file], old
    return file, GOOD[file].replace(old, new, 1)


# what is written -> a part of the message, and a word on the line that it must name
MISTAKES: list[tuple[str, tuple[str, str], str, str]] = [
    ("S67 an unknown key", changed("approvals", "    when:", "    wen: 1\n    when:"), "unknown key", "wen:"),
    ("S67 a duplicate key", changed("approvals", "merge:", "rules: []\nmerge:"), "duplicate key `rules`", "rules: []"),
    ("S67 two documents", changed("approvals", "merge:", "---\nmerge:"), "second document", "---"),
    ("S67 an alias", changed("roles", "roles:", "x: &a 1\ny: *a\nroles:"), "anchors and aliases", "x: &a"),
    ("S67 a tag", changed("roles", "kind: Roles", "kind: !!python/name:os.system Roles"), "tags are not read", "!!python"),
    ("S68 no count", changed("approvals", "{role: reviewers, count: 1}", "{role: reviewers}"), "count` is missing", "{role: reviewers}"),
    ("S68 a count of zero", changed("approvals", "count: 1", "count: 0"), "greater than or equal to 1", "count: 0"),
    ("S68 a count in words", changed("approvals", "count: 1", 'count: "1"'), "whole number", 'count: "1"'),
    ("a check of nobody", changed("approvals", "{approvals: [{role: reviewers, count: 1}]}", "{checks: [{name: x}]}"), "either `app_id` or `reported_by`", "{name: x}"),
    ("a check of two", changed("approvals", "{approvals: [{role: reviewers, count: 1}]}", "{checks: [{name: x, app_id: 1, reported_by: a#1}]}"), "either `app_id` or `reported_by`", "{name: x, app_id"),
    ("a status with a workflow", changed("approvals", "{approvals: [{role: reviewers, count: 1}]}", "{checks: [{name: x, reported_by: a#1, ref: refs/heads/main}]}"), "has no workflow", "{name: x, reported_by"),
    ("a status of a bare login", changed("approvals", "{approvals: [{role: reviewers, count: 1}]}", "{checks: [{name: x, reported_by: a}]}"), "has no account id", "{name: x, reported_by"),
    ("S69 no rules", changed("approvals", APPROVALS[APPROVALS.index("rules:"): APPROVALS.index("vetoes:")], "rules: []\n"), "at least 1", "rules: []"),
    ("S69 a rule that asks for nothing", changed("approvals", "{approvals: [{role: reviewers, count: 1}]}", "{approvals: []}"), "asks for nothing", "{approvals: []}"),
    ("S69 a merge that needs nothing", changed("approvals", "merge: {all_of: [reviewed]}", "merge: {all_of: []}"), "at least 1", "merge: {all_of: []}"),
    ("S70 a rule of an unknown role", changed("approvals", "role: reviewers,", "role: reviewer,"), "unknown role `reviewer`", "role: reviewer,"),
    ("a veto of an unknown role", changed("approvals", "changes_requested_by: [reviewers]", "changes_requested_by: [revs]"), "unknown role `revs`", "[revs]"),
    ("a promoter of an unknown role", changed("environments", "promoters: [owners, releasers]", "promoters: [bosses]"), "unknown role `bosses`", "bosses"),
    ("a command of an unknown role", changed("commands", "approve: {permission: read}", "approve: {roles: [bosses]}"), "unknown role `bosses`", "bosses"),
    ("a gate that is no rule", changed("approvals", "{all_of: [reviewed]}", "{all_of: [reviewd, reviewed]}"), "unknown rule `reviewd`", "reviewd"),
    ("a rule that nothing asks for", changed("approvals", "vetoes:", "  - {name: other, when: {always: true}, require: {evaluation: passes}}\nvetoes:"), "never asked for", "name: other"),
    ("two rules of one name", changed("approvals", "vetoes:", "  - {name: reviewed, when: {always: true}, require: {evaluation: passes}}\nvetoes:"), "used twice", "{name: reviewed"),
    ("an unknown tier", changed("approvals", "when: {always: true}\n", "when: {risk_tier: [hihg]}\n"), "unknown risk tier `hihg`", "hihg"),
    ("a change without a tier", changed("approvals", "{name: low, match: {always: true}}", "{name: low, match: {from_fork: true}}"), "no risk tier", "from_fork"),
    ("a tier by tier", changed("approvals", "risk_tiers:\n", "risk_tiers:\n  - {name: high, match: {any_of: [{risk_tier: [low]}]}}\n"), "defined by a risk tier", "name: high"),
    ("an empty condition", changed("approvals", "when: {always: true}\n", "when: {}\n"), "condition is empty", "when: {}"),
    ("always and more", changed("approvals", "when: {always: true}\n", "when: {always: true, from_fork: true}\n"), "does not go with", "from_fork"),
    ("a veto of two kinds", changed("approvals", "when: {held: true}", "when: {held: true, artifact_revoked: true}"), "exactly one condition", "held: true, artifact"),
    ("one party", changed("approvals", "merge:", "separation_of_duties:\n  - {name: x, distinct: [author]}\nmerge:"), "at least 2", "distinct: [author]"),
    ("a login without an id", changed("roles", "rev#11", "rev"), "no account id", "users: [rev"),
    ("an id without a number", changed("roles", "rev#11", '"rev_acme#x"'), "no account id", "rev_acme"),
    ("words instead of a login", changed("roles", "rev#11", '"rev of acme#11"'), "names no account", "rev of acme"),
    ("an address that is none", ("roles", GOOD["roles"] + "addresses: {rev: rev#11}\n"), "not an e-mail address", "rev: rev#11"),
    ("an address of a bare login", ("roles", GOOD["roles"] + "addresses: {rev@x.example: rev}\n"), "has no account id", "rev@x.example"),
    ("a role of nobody", changed("roles", "reviewers: {users: [rev#11, rev2#12]}", "reviewers: {users: []}"), "no members", "reviewers:"),
    ("one account under two names", changed("roles", "own#21", "own#11"), "two names", "own#11"),
    ("a look-alike letter", changed("roles", "reviewers:", "rev\u0456ewers:"), "looks like an ASCII letter", "ewers:"),
    ("an invisible character", changed("roles", "reviewers:", "reviewers\u200b:"), "invisible character", "reviewers\u200b"),
    ("an unknown time zone", changed("environments", "environments:", "freeze_windows: [{name: w, kind: deny, environments: [staging], dtstart: \"2026-01-01T00:00:00\", rrule: FREQ=DAILY, duration: 1h, time_zone: Europe/Atlantis}]\nenvironments:"), "not a time zone", "Atlantis"),
    ("S92 an unparsable recurrence", changed("environments", "environments:", "freeze_windows: [{name: w, kind: deny, environments: [staging], dtstart: \"2026-01-01T00:00:00\", rrule: FREQ=SOMETIMES, duration: 1h, time_zone: UTC}]\nenvironments:"), "not a recurrence rule", "SOMETIMES"),
    ("a recurrence by the second", changed("environments", "environments:", "freeze_windows: [{name: w, kind: deny, environments: [staging], dtstart: \"2026-01-01T00:00:00\", rrule: FREQ=SECONDLY, duration: 1h, time_zone: UTC}]\nenvironments:"), "hourly at most", "SECONDLY"),
    ("a window without length", changed("environments", "environments:", "freeze_windows: [{name: w, kind: deny, environments: [staging], dtstart: \"2026-01-01T00:00:00\", rrule: FREQ=DAILY, duration: 0h, time_zone: UTC}]\nenvironments:"), "no length", "0h"),
    ("a duration without a unit", changed("environments", "    promote_from: [staging]", "    promote_from: [staging]\n    soak_time: \"24\""), "not a duration", "soak_time"),
    ("nowhere to soak", changed("environments", "auto_promote: merge}", "auto_promote: merge, soak_time: 1h}"), "nowhere to soak", "soak_time"),
    ("an unknown environment", changed("environments", "promote_from: [staging]", "promote_from: [stagin]"), "unknown environment `stagin`", "[stagin]"),
    ("an environment before itself", changed("environments", "promote_from: [staging]", "promote_from: [production]"), "cannot be promoted from itself", "promote_from: [production]"),
    ("break-glass by one person", changed("environments", "environments:", "break_glass: {roles: [owners], min_people: 1, environments: [staging], bypasses: [soak_time], max_duration: 1h, review: {role: owners, within: 1d}}\nenvironments:"), "greater than or equal to 2", "min_people: 1"),
    ("break-glass past provenance", changed("environments", "environments:", "break_glass: {roles: [owners], min_people: 2, environments: [staging], bypasses: [provenance], max_duration: 1h, review: {role: owners, within: 1d}}\nenvironments:"), "must be one of", "provenance"),
    ("an unknown command", changed("commands", "hold:", "aprove:"), "must be one of", "aprove"),
    ("a command for nobody", changed("commands", "hold: {permission: write}", "hold: {or_author: always}"), "nobody may use", "hold:"),
    ("another kind of file", changed("commands", "kind: Commands", "kind: Roles"), "must be", "kind: Roles"),
    ("more alarms than windows", changed("environments", "auto_promote: merge}", "auto_promote: merge, monitor: {predictions: log, every: 7d, false_alarms_per_month: 9.0}}"), "every window may alarm", "every: 7d"),
    ("retraining without labels", changed("environments", "auto_promote: merge}", "auto_promote: merge, monitor: {predictions: log, on_alarm: [retraining_pull_request]}}"), "retraining needs labels", "on_alarm"),
    ("a log named after nothing", changed("environments", "auto_promote: merge}", "auto_promote: merge, monitor: {predictions: 'log/{modle}'}}"), "other names than", "modle"),
    ("an action twice", changed("environments", "auto_promote: merge}", "auto_promote: merge, monitor: {predictions: log, on_alarm: [issue, issue]}}"), "named twice", "on_alarm"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "written", "message", "word"), MISTAKES, ids=[one[0] for one in MISTAKES])
def test_a_mistake_is_named_with_its_line(name: str, written: tuple[str, str], message: str, word: str) -> None:
    file, text = written
    with pytest.raises(UserError) as caught:
        load(**{file: text})
    errors = caught.value.errors if isinstance(caught.value, Problems) else [caught.value]
    hits = [one for one in errors if message in one.message]
    assert hits, str(caught.value)
    place = hits[0].place
    assert place is not None and place.file == f"policies/{file}.yaml"
    assert place.line == line_of(text, word), (place, word)
    assert hits[0].hint or message.startswith(("greater than", "at least"))


@pytest.mark.parametrize(
    "login", ["rev_acme", "rev-", "-rev", "r", "0", "Rev-1_acme", "my-app[bot]", "x" * 60 + "[bot]"]
)
def test_whoever_has_an_account_can_be_named(login: str) -> None:
    files = {f"policies/{name}.yaml": text.encode() for name, text in GOOD.items()}
    files["policies/roles.yaml"] = GOOD["roles"].replace("rev#11", f'"{login}#11"').encode()
    assert read_policies(files).roles.roles["reviewers"].accounts[0] == (login, 11)


def test_an_alias_bomb_is_refused_at_once() -> None:
    bomb = "a: &a [x]\n" + "\n".join(f"b{n}: &b{n} [*a,*a,*a,*a]" for n in range(20))
    with pytest.raises(UserError, match="anchors and aliases"):
        load(roles=bomb)


@pytest.mark.parametrize("name", list(GOOD))
def test_a_missing_file_blocks(name: str) -> None:
    files = {f"policies/{one}.yaml": text.encode() for one, text in GOOD.items() if one != name}
    with pytest.raises(UserError, match="is missing") as caught:
        read_policies(files)
    assert caught.value.code == "policy_missing"


@pytest.mark.parametrize("text", ["", "[]", "null", "just text", "\x00", "a: b: c"])
def test_what_is_no_policy_blocks(text: str) -> None:
    with pytest.raises(UserError):
        load(approvals=text)


def test_several_mistakes_are_told_together() -> None:
    with pytest.raises(Problems) as caught:
        load(approvals=APPROVALS.replace("count: 1", "count: 0").replace("vetoes:", "wetoes:"), roles="{}")
    assert {str(one.place).split(":")[0] for one in caught.value.errors} == {
        "policies/approvals.yaml",
        "policies/roles.yaml",
    }


def test_the_digest_follows_the_bytes_and_not_the_tests() -> None:
    files = {f"policies/{name}.yaml": text.encode() for name, text in GOOD.items()}
    digest = policy_digest(files)
    assert policy_digest({**files, "policies/tests/a.yaml": b"x"}) == digest
    assert policy_digest({**files, "policies/templates/a.md": b"x"}) != digest
    assert policy_digest({**files, "policies/roles.yaml": ROLES.encode() + b"\n"}) != digest


def test_this_repository_s_own_policies_load() -> None:
    folder = Path(__file__).parents[2] / "policies"
    files = {f"policies/{path.name}": path.read_bytes() for path in folder.glob("*.yaml")}
    assert set(read_policies(files).environments.environments) == {"staging", "production"}
