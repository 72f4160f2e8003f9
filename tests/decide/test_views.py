# ruff: noqa: E501 (one row a case)
"""Who may use a command, what a decision says, and what it leaves for others to check."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from bot.decide.allowed import command_node, may_use, stage_of, who_may
from bot.decide.attestation import summary
from bot.decide.backtest import Past, as_markdown, differences, newest
from bot.decide.case import Case
from bot.decide.decide import refuse
from bot.decide.explain import explain
from bot.decide.reasons import REASONS, node
from bot.decide.unblock import ACTIONS, APPROVALS
from bot.decide.wording import REFUSALS, listed, plural, short, span
from bot.records.facts import Facts, Gate
from tests.decide.policies import P
from tests.decide.world import (
    ANN,
    APP,
    BOB,
    COMMANDS,
    NOW,
    OWN,
    REL,
    REV,
    REV2,
    H,
    account,
    actor,
    command,
    facts,
    head,
    judge,
    model,
    p1,
    pull_request,
    review,
)

TABLE = COMMANDS + (
    "  retrain: {roles: [owners], or_author: same_repo_only}\n"
    "  plan: {permission: maintain, or_author: always}\n"
    "  promote: {roles: [releasers]}\n"
    "  lock: {roles: [owners], permission: admin}\n"
    "  merge: {permission: write, stages: [open]}\n"
)


def allowed(verb: str, who: int, **changes: Any) -> tuple[str, str]:
    found = command_node(verb, who, Case(facts(**changes), p1(commands=TABLE), NOW))
    return found.status, found.reason_code


MERGED = {"pr": {"merged": True, "state": "closed"}}
ROWS: list[tuple[str, str, int, dict[str, Any], tuple[str, str]]] = [
    ("everybody may read", "status", BOB, {}, ("approved", "approved")),
    ("a verb that is not written is refused", "reject", REV, {}, ("rejected", "command_not_allowed")),
    ("a role", "retrain", OWN, {}, ("approved", "approved")),
    ("the author of an own branch", "retrain", ANN, {}, ("approved", "approved")),
    ("not the author of a fork", "retrain", ANN, {"pr": {"from_fork": True}}, ("rejected", "command_not_allowed")),
    ("the author always", "plan", ANN, {"pr": {"from_fork": True}}, ("approved", "approved")),
    ("not anybody", "retrain", BOB, {}, ("rejected", "command_not_allowed")),
    ("permission too low", "plan", BOB, {}, ("rejected", "command_not_allowed")),
    ("permission high enough", "plan", BOB, {"actors": (actor(BOB, permission="admin"),)}, ("approved", "approved")),
    ("permission not known", "plan", BOB, {"actors": (actor(BOB, permission=None),)}, ("error", "role_unknown")),
    ("role and permission are both asked for", "lock", OWN, {}, ("rejected", "command_not_allowed")),
    ("role and permission", "lock", OWN, {"actors": (actor(OWN, permission="admin"),)}, ("approved", "approved")),
    ("S45 promote works once it is merged", "promote", REL, MERGED, ("approved", "approved")),
    ("S45b and not before", "promote", REL, {}, ("rejected", "command_not_allowed")),
    ("S45c retrain works on a draft", "retrain", OWN, {"pr": {"draft": True}}, ("approved", "approved")),
    ("S45d approve does not", "approve", REV, {"pr": {"draft": True}}, ("rejected", "command_not_allowed")),
    ("S45e nor on a closed one", "approve", REV, {"pr": {"state": "closed"}}, ("rejected", "closed")),
    ("the policy names the states", "merge", OWN, {"pr": {"draft": True}}, ("rejected", "command_not_allowed")),
    ("an app may not", "merge", APP, {}, ("rejected", "command_not_allowed")),
    ("somebody of whom nothing is known", "merge", 99, {}, ("error", "role_unknown")),
]


@pytest.mark.parametrize(("name", "verb", "who", "changes", "expected"), ROWS, ids=[one[0] for one in ROWS])
def test_who_may_use_a_command(
    name: str, verb: str, who: int, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert allowed(verb, who, **changes) == expected


def test_a_refusal_names_who_may() -> None:
    case = Case(facts(), p1(commands=TABLE), NOW)
    assert who_may("retrain", case) == ("own", "the author")
    assert who_may("plan", case) == ("anybody with maintain permission", "the author")
    assert who_may("promote", case) == ("rel",)
    assert who_may("cancel", case) == ()
    assert "own and the author" in command_node("retrain", BOB, case).sentence
    assert may_use("cancel", OWN, case) is False and may_use("help", BOB, case) is True


def test_the_states_of_a_pull_request() -> None:
    assert stage_of(pull_request()) == "open"
    assert stage_of(pull_request(draft=True)) == "draft"
    assert stage_of(pull_request(state="closed", draft=True)) == "closed"
    assert stage_of(pull_request(state="closed", merged=True, draft=True)) == "merged"


def test_explain_shows_each_node_with_its_code_and_what_would_help() -> None:
    text = explain(judge(facts(review(ANN))))
    assert text == (
        "merge of #7 at 111111111111: Waiting for rev (approve as reviewers).\n"
        "\n"
        "~ merge [self_approval] Missing: 1 reviewers. Who can: rev and rev2.\n"
        "  + changes-requested [not_needed] Nobody objects.\n"
        "  + hold [not_needed] Nobody objects.\n"
        "  + revoked-artifact [not_needed] No artifact of this change was revoked.\n"
        "  ~ churn [self_approval] Missing: 1 reviewers. Who can: rev and rev2.\n"
        "    ~ reviewed [self_approval] Missing: 1 reviewers. Who can: rev and rev2.\n"
        "      ~ approvals by reviewers [self_approval] Missing: 1 reviewers. Who can: rev and rev2.\n"
        "        - ann [self_approval] review r13600" + "1: the author's own approval does not count.\n"
        "\n"
        "To unblock:\n"
        f"  rev: approve as reviewers  (/approve {head().evaluation_id})\n"
        "\n"
        "+ approved  ~ pending  x rejected  ! error  - does not count\n"
    )


def test_explain_of_one_rule_shows_that_rule_alone() -> None:
    lines = explain(judge(facts(review(REV))), rule="reviewed").splitlines()
    assert lines[2].startswith("+ reviewed") and "changes-requested" not in "\n".join(lines)


UNBLOCKS: list[tuple[str, Facts, str, tuple[str, ...], str, str | None]] = [
    ("a hold", facts(review(REV), command(OWN, "hold", ago=2)), "P1", ("own", "rel"), "hold: lift the hold", "/unhold --reason ..."),
    ("a rejection", facts(review(REV2), command(REV, "reject")), "P1", ("rev", "rel"), "changes-requested: take the rejection back", "/unapprove"),
    ("a draft", facts(review(REV), pr={"draft": True}), "P1", ("ann",), "ready: mark the pull request as ready for review", None),
    ("no evaluation", facts(review(REV), models=(model(evaluation_digest=None),)), "evaluated", ("whoever may /retrain",), "evaluation: evaluate it", "/retrain"),
    ("nobody left", facts(pr={"author": account(OWN)}), "owner only", ("policies/roles.yaml",), "Nobody is left", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "found", "policy", "who", "action", "line"), UNBLOCKS, ids=[one[0] for one in UNBLOCKS]
)
def test_what_would_unblock(
    name: str, found: Facts, policy: str, who: tuple[str, ...], action: str, line: str | None
) -> None:
    unblock = judge(found, P[policy]).unblock
    hits = [one for one in unblock if one.who == who and one.action.startswith(action)]
    assert hits and hits[0].command == line, unblock


def test_what_needs_another_commit_comes_before_approvals_that_it_would_make_void() -> None:
    gate = Gate(gate="floor", verdict="fail", blocks=True, reason_code="metrics_failed", sentence="Below 0.8.")
    found = judge(facts(models=(model(gates=(gate,)),)), P["evaluated"])
    assert [one.command is None for one in found.unblock] == [True, False], found.unblock
    held = judge(facts(command(REL, "hold", ago=30)), P["evaluated"])
    assert [one.command.split()[0] for one in held.unblock if one.command] == ["/approve", "/unhold"], held.unblock


def test_fewest_people_unblock() -> None:
    """One person who holds both roles is asked before two, where one person may fill both."""
    assert [one.who for one in judge(facts(), P["two hats within"]).unblock] == [("own",)]
    assert [one.who for one in judge(facts(), P["two hats across"]).unblock] == [("own",), ("val",)]
    assert [one.who for one in judge(facts(), P["either"]).unblock] in ([("own",)], [("rev",)])
    assert [one.who for one in judge(facts(), P["team"]).unblock] == [("team acme/reviewers",)]
    assert [one.who for one in judge(facts(review(REV)), P["two reviewers"]).unblock] == [("rev2",)]


def test_someone_who_lost_the_role_is_not_asked() -> None:
    decision = judge(facts(actors=(actor(OWN, permission="none"),)), P["owner and validator"])
    assert [one.who for one in decision.unblock if one.command] == [("val",)]


SCHEMA = {
    "type": "object",
    "required": ["_type", "subject", "predicateType", "predicate"],
    "properties": {
        "_type": {"const": "https://in-toto.io/Statement/v1"},
        "predicateType": {"const": "https://slsa.dev/verification_summary/v1"},
        "subject": {"type": "array", "minItems": 1, "items": {"required": ["name", "digest"]}},
        "predicate": {
            "required": ["verifier", "timeVerified", "resourceUri", "policy", "verificationResult", "verifiedLevels"],
            "properties": {"verificationResult": {"enum": ["PASSED", "FAILED"]}},
        },
    },
}


def test_a_decision_as_verification_summary() -> None:
    decision = judge(facts(review(REV)))
    names = {"repository": "https://github.com/o/r", "policy_uri": "git+https://github.com/o/r@main#policies"}
    statement = summary(decision, **names, verifier="https://github.com/o/r/mlbot")
    assert statement is not None
    jsonschema.validate(statement, SCHEMA)
    predicate = statement["predicate"]
    digest = model().artifact_digest or ""
    assert statement["subject"] == [{"name": "churn", "digest": {"sha256": digest.removeprefix("sha256:")}}]
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["verifiedLevels"] == ["MLBOT_DECISION_MERGE"]
    assert predicate["resourceUri"] == "https://github.com/o/r/pull/7#merge"
    assert {"sha256": decision.digest().removeprefix("sha256:")} in [
        one["digest"] for one in predicate["inputAttestations"]
    ]


def test_what_is_not_approved_is_failed_and_carries_no_level() -> None:
    statement = summary(judge(facts()), repository="r", policy_uri="p", verifier="v")
    assert statement is not None
    assert statement["predicate"]["verificationResult"] == "FAILED"
    assert statement["predicate"]["verifiedLevels"] == []


def test_a_decision_about_no_artifact_attests_nothing() -> None:
    docs = judge(facts(review(REV), models=()))
    assert summary(docs, repository="r", policy_uri="p", verifier="v") is None


def test_backtest_names_the_pull_requests_that_would_have_come_out_otherwise() -> None:
    found = facts(review(REV))
    past = Past(judge(found), found)
    assert differences([past], p1()) == []
    changed = differences([past], P["two reviewers"])
    assert [(one.past.decision.status, one.decision.status) for one in changed] == [("approved", "pending")]
    assert "| 7 | merge | approved (`approved`) | pending (`approvals_missing`) |" in as_markdown(changed, 1)
    assert "Looser" not in as_markdown(changed, 1)
    back = differences([Past(judge(found, P["two reviewers"]), found)], p1())
    assert "**Looser** for 7" in as_markdown(back, 1)
    assert as_markdown([], 3) == "This policy gives the same verdict for the last 3 decisions.\n"


def test_backtest_takes_the_last_word_on_each_pull_request() -> None:
    one, two = facts(), facts(review(REV))
    later = NOW + timedelta(hours=1)
    pasts = [Past(judge(two, now=later), two), Past(judge(one), one)]
    assert [past.decision.status for past in newest(pasts, 5)] == ["approved"]
    eight = facts(pr={"number": 8})
    assert [past.decision.number for past in newest([*pasts, Past(judge(eight), eight)], 1)] == [8]


def test_when_judging_is_impossible_the_decision_blocks() -> None:
    decision = refuse(
        facts(), "policy_invalid", ["policies/roles.yaml:3: no", "policies/x.yaml: not a policy file"], NOW
    )
    assert (decision.status, decision.reason_code, decision.models) == ("error", "policy_invalid", ())
    assert decision.facts_digest == facts().digest() and decision.policy_digest == ""
    assert decision.headline == "Cannot be judged: The policy cannot be loaded. policies/roles.yaml:3: no"
    assert [(one.name, one.sentence) for one in decision.tree.children] == [
        ("mistake 1", "policies/roles.yaml:3: no"), ("mistake 2", "policies/x.yaml: not a policy file"),
    ]  # fmt: skip
    assert [(one.who, one.action, one.command) for one in decision.unblock] == [
        (("whoever may change policies/",), "mend policies/roles.yaml:3: no", None),
        (("whoever may change policies/",), "mend policies/x.yaml: not a policy file", None),
    ]
    assert decision.risk_tier == "unknown"


def test_reason_codes_are_a_closed_list_with_words() -> None:
    with pytest.raises(KeyError):
        node("x", "approved", "because", "No.")
    assert set(ACTIONS) <= set(REASONS) and set(APPROVALS) <= set(REASONS) and set(REFUSALS) <= set(REASONS)
    for code, meaning in REASONS.items():
        assert code.islower() and meaning.endswith(".")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.2, "1 s"), (59.5, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (90_061, "1 d 1 h")],
)
def test_spans_are_rounded_up(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_lists_read_as_sentences() -> None:
    assert listed([]) == "" and listed(["a"]) == "a" and listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed("abcdefghij", limit=3) == "a, b, c and 7 more"
    assert plural(1, "owner") == "1 owner" and plural(2, "owner") == "2 x owner"
    assert short("sha256:" + H) == "1" * 12
