"""Who pushed, which checks are there, who built a model before, and where the base went: collected, or unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.decide.decide import decide
from bot.decide.step import collect, record
from bot.errors import WorldError
from bot.ports import Commit
from bot.records.facts import Check, CommitList, Contribution, Facts
from bot.records.ledger import Evaluated, Head, commits_path, head_path, party_path, plan_path
from bot.records.plan import Plan
from bot.specs.policies import Policies
from tests.builders import a_digest
from tests.decide.policies import P, require
from tests.decide.test_step import BASE, World, approve, parse, world
from tests.decide.world import ANN, APPROVALS, BOB, NOW, OWN, REV, REV2, H, account, codes, facts, p1, review
from tests.fakes.data import FakeData

TIP = "c" * 40
INDEPENDENT = p1(approvals=require("{approvals: [{role: reviewers, count: 1, not_contributor_within: 90d}]}"))


def collected(ports: World, policies: Policies | None = None) -> Facts:
    return collect(7, "merge", ports, policies or p1(), parse)  # type: ignore[arg-type]


def verdict(ports: World, policies: Policies | None = None, now: datetime = NOW) -> tuple[str, set[str]]:
    found = decide(collected(ports, policies), policies or p1(), now)
    return found.status, codes(found.tree)


# --- who pushed


def test_who_pushed_is_what_github_says_and_not_who_started_the_run() -> None:
    ports = world(reviews=[approve(REV)])
    ports.witness.pushes = {("acme/models", "change", H): [REV]}
    status, found = verdict(ports)
    assert status == "pending" and "contributor_approval" in found


def test_a_head_that_nobody_is_known_to_have_pushed_blocks() -> None:
    ports = world(reviews=[approve(REV)])
    ports.witness.pushes = {}
    status, found = verdict(ports)
    assert status == "error" and "pusher_unknown" in found
    ports.ledger.commit({party_path(7, H, "sender", ANN): b"{}"}, "the event of a push names the pusher")
    assert verdict(ports)[0] == "approved"


def test_without_a_witness_or_the_head_s_repository_nobody_is_known_to_have_pushed() -> None:
    ports = world(reviews=[approve(REV)])
    assert "pusher_unknown" in verdict(replace(ports, witness=None))[1]  # type: ignore[arg-type]
    ports.pull_requests.pulls[7] = replace(ports.pull_requests.pulls[7], head_repository=None)
    assert "pusher_unknown" in verdict(ports)[1]


def test_nobody_is_asked_who_pushed_when_the_policy_does_not_care() -> None:
    ports = world(reviews=[approve(REV)])
    ports.witness.pushes = {}
    policies = p1(approvals=APPROVALS.replace("risk_tiers:", "defaults: {exclude_approvers: [author]}\nrisk_tiers:"))
    assert verdict(ports, policies)[0] == "approved"
    assert ports.witness.requests == []


def test_whoever_pushed_it_before_somebody_pushed_it_back_stays_a_pusher() -> None:
    """Rev pushes the head, ann pushes it away and back: rev did push what is judged."""
    ports = world(reviews=[approve(REV)])
    ports.witness.pushes = {("acme/models", "change", H): [ANN, REV]}
    ports.ledger.commit({party_path(7, H, "sender", ANN): b"{}"}, "only the last event came through")
    assert collected(ports).pull_request.pushers == (ANN, REV)
    assert "contributor_approval" in verdict(ports)[1]


def test_github_is_asked_once_a_head_who_pushed() -> None:
    ports = world(reviews=[approve(REV)])
    for _ in range(2):
        facts = collected(ports)
        record(facts, decide(facts, p1(), NOW), {}, ports)  # type: ignore[arg-type]
    assert ports.witness.requests == ["pushers acme/models change"]
    ports.ledger.commit({party_path(7, H, "sender", REV): b"{}"}, "rev pushed the same commit again")
    assert "contributor_approval" in verdict(ports)[1]


def test_after_the_merge_the_ledger_says_who_pushed() -> None:
    """The branch is gone then, and with it what GitHub remembers."""
    ports = world(reviews=[approve(REV)])
    facts = collected(ports)
    record(facts, decide(facts, p1(), NOW), {}, ports)  # type: ignore[arg-type]
    ports.pull_requests.pulls[7] = replace(ports.pull_requests.pulls[7], state="closed", merged=True)
    ports.witness.pushes, ports.witness.requests = {}, []
    assert verdict(ports)[0] == "approved" and ports.witness.requests == []


# --- who started the training


def test_who_started_the_training_stays_known_when_somebody_else_starts_a_run_after() -> None:
    ports = world(reviews=[approve(REV)])
    ports.ledger.commit({party_path(7, H, "initiator", REV): b"{}"}, "rev asked for a training")
    assert set(collected(ports).training_initiators) == {ANN, REV}
    assert "contributor_approval" in verdict(ports)[1]


def test_who_trained_the_same_inputs_at_an_older_head_counts_and_who_trained_others_does_not() -> None:
    ports = world(reviews=[approve(REV)])
    live = Head.parse(ports.ledger.get(head_path(7, H)) or b"", source="head")
    other = Evaluated(inputs_digest=a_digest("other"), evaluation_digest=None, artifact_digest=None)
    for sha, models, who in (("3" * 40, live.models, REV), ("4" * 40, {"churn": other}, REV2)):
        older = live.model_copy(update={"head_sha": sha, "models": models, "initiator_id": who})
        ports.ledger.commit({head_path(7, sha): older.canonical()}, "an older head")
    assert collected(ports).training_initiators == (ANN, REV)


# --- checks


CHECKED = P["checked"]


def green(**changes: Any) -> Check:
    fields = {"name": "unit", "app_id": 15368, "workflow": "ci.yml", "ref": "refs/heads/main", "event": "push"}
    return Check(**{**fields, "conclusion": "success", **changes})


def test_checks_are_asked_for_by_name_and_only_when_a_rule_names_them() -> None:
    ports = world(reviews=[approve(REV)])
    ports.witness.reported = {H: [green(), green(name="other", conclusion="failure")]}
    assert verdict(ports, CHECKED)[0] == "approved"
    assert "checks unit" in ports.witness.requests
    ports.witness.requests.clear()
    assert collected(ports).checks is None and "checks unit" not in ports.witness.requests


def test_checks_that_github_does_not_tell_about_are_unknown_and_block() -> None:
    ports = world(reviews=[approve(REV)])
    ports.witness.reported = None
    assert verdict(ports, CHECKED)[0] == "error"
    assert verdict(replace(ports, witness=None), CHECKED)[0] == "error"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reported", "status", "code"),
    [
        (Check(name="unit", app_id=None, workflow=None, ref=None, event=None, conclusion="success", reporter_id=OWN),
         "approved", "approved"),
        (Check(name="unit", app_id=None, workflow=None, ref=None, event=None, conclusion="success", reporter_id=BOB),
         "pending", "check_untrusted_source"),
        (green(reporter_id=OWN), "pending", "check_untrusted_source"),
        (Check(name="unit", app_id=None, workflow=None, ref=None, event=None, conclusion=None, reporter_id=OWN),
         "pending", "check_failed"),
    ],
    ids=["by the account", "by another account", "a check run of an app", "still pending"],
)  # fmt: skip
def test_a_commit_status_counts_by_the_account_that_set_it(reported: Check, status: str, code: str) -> None:
    policies = p1(
        approvals=require("{approvals: [{role: reviewers, count: 1}], checks: [{name: unit, reported_by: own#21}]}")
    )
    ports = world(reviews=[approve(REV)])
    ports.witness.reported = {H: [reported]}
    found = verdict(ports, policies)
    assert found[0] == status and code in found[1]


# --- who built it before


def commit(who: int | None, days_ago: float = 10, message: str = "x") -> Commit:
    person = account(who) if who else None
    return Commit("9" * 40, (), person, person, f"{who}@example.com", message, committed_at=NOW - timedelta(days_ago))


def test_nobody_is_asked_who_built_a_model_when_no_rule_looks_back() -> None:
    ports = world(reviews=[approve(REV)])
    assert verdict(ports)[0] == "approved"
    assert not any(one.startswith("history") for one in ports.witness.requests)


@pytest.mark.parametrize(
    ("made", "status", "code"),
    [
        ([], "approved", "approved"),
        ([commit(OWN)], "approved", "approved"),
        ([commit(REV)], "pending", "recent_contributor"),
        ([commit(OWN, message="x\n\nCo-authored-by: r <11+rev@users.noreply.github.com>")], "pending",
         "recent_contributor"),
        ([commit(REV, days_ago=91)], "approved", "approved"),
        ([commit(None)], "error", "api_unavailable"),
        (None, "error", "api_unavailable"),
    ],
    ids=["nobody", "another", "the approver", "as co-author", "long ago", "somebody unknown", "not told"],
)  # fmt: skip
def test_an_independent_approver_has_not_built_the_model_lately(
    made: list[Commit] | None, status: str, code: str
) -> None:
    ports = world(reviews=[approve(REV)])
    ports.witness.touched = None if made is None else {"models/churn/model.yaml": made}
    found = verdict(ports, INDEPENDENT)
    assert found[0] == status and code in found[1]


@pytest.mark.parametrize(("days", "status"), [(10, "pending"), (100, "approved")])
def test_an_earlier_pull_request_that_the_bot_saw_counts_by_the_bot_s_own_time(days: int, status: str) -> None:
    """A commit's own date can be forged; when the bot first saw it cannot."""
    ports = world(reviews=[approve(REV)])
    live = Head.parse(ports.ledger.get(head_path(7, H)) or b"", source="head")
    people = CommitList.model_validate({"commits": [{"sha": "8" * 40, "author": REV, "committer": REV}]})
    ports.ledger.clock = NOW - timedelta(days=days)
    ports.ledger.commit(
        {
            commits_path(3, BASE, "8" * 40): people.canonical(),
            head_path(3, "8" * 40): live.model_copy(update={"number": 3, "head_sha": "8" * 40}).canonical(),
        },
        "an earlier pull request",
    )
    assert verdict(ports, INDEPENDENT)[0] == status


def seen_before(ports: World, number: int, sha: str, who: int, days: float, *, has_head: bool = True) -> None:
    """The bot judged another pull request so many days ago."""
    live = Head.parse(ports.ledger.get(head_path(7, H)) or b"", source="head")
    people = CommitList.model_validate(
        {"commits": [{"sha": sha, "author": who, "committer": who, "co_authors": [who]}]}
    )
    ports.ledger.clock = NOW - timedelta(days=days)
    files: dict[str, bytes | None] = {commits_path(number, BASE, sha): people.canonical()}
    if has_head:
        files[head_path(number, sha)] = live.model_copy(update={"number": number, "head_sha": sha}).canonical()
    ports.ledger.commit(files, "an earlier pull request")


def test_of_earlier_pull_requests_each_counts_for_itself() -> None:
    ports = world(reviews=[approve(REV)])
    seen_before(ports, 2, "2" * 40, REV, 100)  # too long ago
    seen_before(ports, 3, "3" * 40, REV, 10, has_head=False)  # never reported on
    seen_before(ports, 7, "7" * 40, REV, 10)  # this one: its builders are excluded as such, or the policy lets them
    assert verdict(ports, INDEPENDENT)[0] == "approved"
    seen_before(ports, 4, "4" * 40, REV, 90)  # the end of the time is not in it
    assert verdict(ports, INDEPENDENT)[0] == "approved"
    seen_before(ports, 5, "5" * 40, REV, 89.9)
    assert verdict(ports, INDEPENDENT)[0] == "pending"


@pytest.mark.parametrize(
    ("model", "guarded", "status"),
    [("churn", (), "pending"), ("taxi", (), "approved"), ("taxi", ("bot/x.py",), "pending")],
    ids=["the model itself", "another model", "the rest of a change: whoever built any model"],
)
def test_who_built_what_matters_to_what_is_judged(model: str, guarded: tuple[str, ...], status: str) -> None:
    built = (Contribution(actor=REV, model=model, at="2026-03-01T00:00:00Z"),)
    found = facts(review(REV), contributions=built, guarded_paths=guarded)
    assert decide(found, INDEPENDENT, NOW).status == status


def test_without_a_witness_nobody_knows_who_built_a_model() -> None:
    ports = world(reviews=[approve(REV)])
    collected_then = collected(ports)
    record(collected_then, decide(collected_then, p1(), NOW), {}, ports)  # type: ignore[arg-type]
    blind = collected(replace(ports, witness=None), INDEPENDENT)  # type: ignore[arg-type]
    assert blind.unknown == (f"who built churn since {(NOW - timedelta(days=90)).date()}",)
    assert decide(blind, INDEPENDENT, NOW).status == "error"


# --- where the base went


def after(ports: World, base: dict[str, bytes], tip: dict[str, bytes], head: dict[str, bytes] | None = None) -> World:
    """The default branch moved on from the base; the model's files at both, and at the head."""
    git = ports.git
    for sha, files in ((BASE, base), (TIP, {**base, **tip}), (H, {**base, **(head or {})})):
        git.trees[sha] = {**git.trees[BASE], **files}
    git.parents[TIP] = (BASE,)
    git.refs["refs/remotes/origin/main"] = TIP
    return ports


ROWS = {"data/churn.csv": b"1", "data/taxi.csv": b"2"}


def spec() -> bytes:
    from tests.pipeline.world import CHURN

    return CHURN


def with_data(ports: World, then: dict[str, bytes], now: dict[str, bytes], head: dict[str, bytes]) -> World:
    ports = replace(ports, data=FakeData({BASE: then, TIP: now, H: head}))
    path = plan_path(7, H)
    plan = Plan.parse(ports.ledger.files[path], source=path)
    files = ports.data.files(H, "data/churn.csv")
    entries = tuple(one.model_copy(update={"data_files": files}) for one in plan.entries)
    ports.ledger.files[path] = plan.model_copy(update={"entries": entries}).canonical()
    return ports


MODEL, POINTER = "models/churn/model.yaml", "data.dvc"
BASES = [
    ("nothing of the model", {MODEL: spec()}, {"README.md": b"x"}, ROWS, ROWS, False),
    ("another model's", {MODEL: spec(), POINTER: b"1"}, {POINTER: b"2"}, ROWS, ROWS | {"data/taxi.csv": b"3"}, False),
    ("the model's data", {MODEL: spec(), POINTER: b"1"}, {POINTER: b"2"}, ROWS, ROWS | {"data/churn.csv": b"3"}, True),
    ("the model's spec", {MODEL: spec()}, {MODEL: b"other"}, ROWS, ROWS, True),
    ("the model's contract", {MODEL: spec()}, {"models/churn/schema.yaml": b"x"}, ROWS, ROWS, True),
    ("the model's card", {MODEL: spec()}, {"models/churn/README.md": b"x"}, ROWS, ROWS, False),
    ("the model's data, away", {MODEL: spec(), POINTER: b"1"}, {POINTER: b"2"}, ROWS, {"data/taxi.csv": b"2"}, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("base", "tip", "then", "now", "moved"), [one[1:] for one in BASES], ids=[one[0] for one in BASES]
)
def test_a_moved_base_matters_to_the_models_whose_inputs_it_changed(
    base: dict[str, bytes], tip: dict[str, bytes], then: dict[str, bytes], now: dict[str, bytes], moved: bool
) -> None:
    ports = with_data(after(world(reviews=[approve(REV)]), base, tip), then, now, then)
    assert [one.base_moved for one in collected(ports).models] == [moved]


def test_data_that_only_the_pull_request_changed_did_not_move() -> None:
    mine = ROWS | {"data/churn.csv": b"9"}
    moved = after(world(), {MODEL: spec(), POINTER: b"1"}, {POINTER: b"2"})
    ports = with_data(moved, ROWS, ROWS | {"data/taxi.csv": b"3"}, mine)
    assert [one.base_moved for one in collected(ports).models] == [False]
    same = with_data(after(world(), {MODEL: spec(), POINTER: b"1"}, {POINTER: b"2"}), ROWS, mine, mine)
    assert [one.base_moved for one in collected(same).models] == [False]


def test_a_base_that_made_the_same_change_did_not_move() -> None:
    ports = after(world(), {MODEL: spec()}, {MODEL: b"other"}, {MODEL: b"other"})
    assert [one.base_moved for one in collected(ports).models] == [False]


def test_data_of_the_base_that_cannot_be_read_has_moved() -> None:
    ports = with_data(after(world(), {MODEL: spec(), POINTER: b"1"}, {POINTER: b"2"}), ROWS, ROWS, ROWS)
    ports.data.broken[TIP] = WorldError("the remote is away", code="data_object_missing")
    assert [one.base_moved for one in collected(ports).models] == [True]
