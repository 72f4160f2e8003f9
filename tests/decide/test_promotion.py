# ruff: noqa: E501 (one row a case)
"""What a promotion and a rollback must meet: order, time, people, and exactly the bytes that were approved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.decide.break_glass import request_id
from bot.decide.windows import is_open
from bot.records.facts import Asked, BreakGlassUse, EnvironmentFact, Facts, Live, Lock, Opinion, Verification
from bot.specs.policies import Policies
from bot.specs.policies.environments import Window
from tests.decide.world import (
    ANN,
    APPROVALS,
    ENVIRONMENTS,
    NOW,
    OWN,
    REL,
    REV,
    VAL,
    account,
    at,
    codes,
    command,
    facts,
    head,
    judge,
    model,
    p1,
    review,
)

DIGEST = model().artifact_digest or ""


def production(
    extra: str = "", tail: str = "", base: str = "promote_from: [staging]\n    promoters: [releasers]"
) -> str:
    text = ENVIRONMENTS.replace("promote_from: [staging]\n    promoters: [releasers]", base + extra)
    return text + tail


def live(since: float = 60 * 48, digest: str = DIGEST, name: str = "staging", **changes: Any) -> EnvironmentFact:
    """The artifact is live in an environment since so many minutes."""
    one = Live(
        model="churn",
        artifact_digest=digest,
        evaluation_digest=model().evaluation_digest or "",
        inputs_digest=model().inputs_digest,
        version="v1.0.0",
        since=at(since),
    )
    return EnvironmentFact(**{"name": name, "live": (one,), "was_live": (digest,), **changes})


def wanted(*opinions: Opinion, by: int | None = REL, environments: Any = None, **changes: Any) -> Facts:
    """A merged and approved change; production is asked for by the releaser, a minute ago."""
    fields: dict[str, Any] = {
        "subject": "production",
        "pr": {"merged": True, "state": "closed"},
        "asked": Asked(by=by, at=at(1), artifact_digests={"churn": DIGEST}),
        "environments": (live(),) if environments is None else environments,
    }
    return facts(review(REV), *opinions, **{**fields, **changes})


def long_ago() -> Facts:
    """As `wanted`, approved a month before now, for tests of other times than now."""
    return wanted().model_copy(update={"opinions": (review(REV, ago=30 * 24 * 60),)})


def verdict(found: Facts, environments: str = ENVIRONMENTS, approvals: str = APPROVALS, now: datetime = NOW) -> Any:
    return judge(found, p1(environments=environments, approvals=approvals), now)


FOUR_EYES = (
    "separation_of_duties:\n  - {name: four-eyes, distinct: [[author, training_initiator], approver, promoter]}\n"
)
SOAK = production("\n    soak_time: 24h")
ASKS = production("\n    approvals: [{role: owners, count: 1, valid_for: 72h}]")
VERIFIED = production("\n    verification: {workflow: smoke.yml, max_age: 24h}")
OFFICE = """
freeze_windows:
  - {name: office, kind: allow, environments: [production], dtstart: "2026-01-05T09:00:00",
     rrule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH", duration: 8h, time_zone: America/New_York}
  - {name: month-end, kind: deny, environments: [production], dtstart: "2026-01-28T18:00:00",
     rrule: "FREQ=MONTHLY;BYMONTHDAY=28", duration: 96h, time_zone: America/New_York, exempt_actions: [rollback],
     reason: Month-end close}
"""
GLASS = """
break_glass:
  roles: [releasers, owners]
  min_people: 2
  environments: [production]
  bypasses: [freeze_windows, soak_time, wait_timer, approvals]
  max_duration: 4h
  review: {role: validators, within: 2d}
"""


def passed(verdict_: str = "passed", ago: float = 60, digest: str = DIGEST) -> Verification:
    return Verification(model="churn", artifact_digest=digest, verdict=verdict_, at=at(ago))  # type: ignore[arg-type]


ROWS: list[tuple[str, Facts, dict[str, str], str, str | None]] = [
    ("asked for by who may", wanted(), {}, "approved", None),
    ("not merged", wanted(pr={}), {}, "pending", "not_merged"),
    ("S15 the approver lost the role since", wanted(actors=()), {}, "error", "role_unknown"),
    ("S66 merged into another branch", wanted(pr={"merged": True, "base_ref": "lax"}), {}, "rejected", "base_not_allowed"),
    ("S86 the registry would deploy another digest", wanted(asked=Asked(by=REL, artifact_digests={"churn": "sha256:" + "0" * 64})), {}, "rejected", "digest_mismatch"),
    ("S87 the merge gave other inputs", wanted(models=(model(merged_inputs_digest="sha256:" + "0" * 64),)), {"approvals": APPROVALS.replace("{approvals: [{role: r", "{evaluation: passes, approvals: [{role: r")}, "pending", "evaluation_outdated"),
    ("S87b the merge gave the same inputs", wanted(models=(model(merged_inputs_digest=model().inputs_digest),)), {}, "approved", None),
    ("not in the ledger", wanted(models=(model(attested=False),)), {}, "rejected", "not_attested"),
    ("S88 the promoter approved", wanted(review(REL, ago=30), by=REL), {"approvals": FOUR_EYES + APPROVALS.replace("[{role: reviewers", "[{roles: [reviewers, releasers]")}, "pending", "sod_violation"),
    ("S88b the promoter built it", wanted(by=REL, training_initiators=(REL,)), {"approvals": APPROVALS + FOUR_EYES}, "pending", "sod_violation"),
    ("S88c somebody else promotes", wanted(), {"approvals": APPROVALS + FOUR_EYES}, "approved", None),
    ("nobody asked", wanted(by=None), {}, "pending", "promoter_missing"),
    ("asked for by who may not", wanted(by=OWN), {}, "rejected", "promoter_missing"),
    ("nobody needs to ask for staging", wanted(by=None, subject="staging"), {}, "approved", None),
    ("not in staging", wanted(environments=()), {}, "pending", "not_in_previous"),
    ("another artifact in staging", wanted(environments=(live(digest="sha256:" + "1" * 64),)), {}, "pending", "not_in_previous"),
    ("S89 soaks a minute too short", wanted(environments=(live(24 * 60 - 1),)), {"environments": SOAK}, "pending", "soaking"),
    ("S89b soaked", wanted(environments=(live(24 * 60),)), {"environments": SOAK}, "approved", None),
    ("the wait timer runs", wanted(), {"environments": production("\n    wait_timer: 15m")}, "pending", "waiting"),
    ("the wait timer is over", wanted(asked=Asked(by=REL, at=at(15))), {"environments": production("\n    wait_timer: 15m")}, "approved", None),
    ("the wait timer has not begun", wanted(asked=Asked(by=REL)), {"environments": production("\n    wait_timer: 15m")}, "pending", "waiting"),
    ("locked", wanted(environments=(live(), EnvironmentFact(name="production", lock=Lock(holder=account(OWN), reason="audit", since=at(9))))), {}, "rejected", "locked"),
    ("another environment is locked", wanted(environments=(live(lock=Lock(holder=account(OWN), reason="x", since=at(9))),)), {}, "approved", None),
    ("revoked", wanted(revoked=(DIGEST,)), {}, "rejected", "revoked"),
    ("held after the merge", wanted(command(OWN, "hold", ago=2)), {}, "rejected", "held"),
    ("not verified", wanted(), {"environments": VERIFIED}, "pending", "not_verified"),
    ("verified", wanted(environments=(live(verifications=(passed(),)),)), {"environments": VERIFIED}, "approved", None),
    ("verified too long ago", wanted(environments=(live(verifications=(passed(ago=24 * 60),)),)), {"environments": VERIFIED}, "pending", "not_verified"),
    ("failed after it had passed", wanted(environments=(live(verifications=(passed("failed", 5), passed(ago=60))),)), {"environments": VERIFIED}, "rejected", "not_verified"),
    ("another artifact was verified", wanted(environments=(live(verifications=(passed(digest="sha256:" + "2" * 64),)),)), {"environments": VERIFIED}, "pending", "not_verified"),
    ("S93 nobody approved for production", wanted(), {"environments": ASKS}, "pending", "approvals_missing"),
    ("S93b approved for production", wanted(command(OWN, environment="production")), {"environments": ASKS}, "approved", None),
    ("S93c approved for staging", wanted(command(OWN, environment="staging")), {"environments": ASKS}, "pending", "approvals_missing"),
    ("S93d approved for the merge", wanted(command(OWN)), {"environments": ASKS}, "pending", "approvals_missing"),
    ("S94 approved for production too long ago", wanted(command(OWN, environment="production", ago=72 * 60)), {"environments": ASKS}, "pending", "expired"),
    ("S95 approved for another artifact", wanted(command(OWN, environment="production", target=head("9" * 40, model(version=9)).evaluation_id)), {"environments": ASKS}, "pending", None),
    ("S96 an approval for production is none for the merge", facts(command(REV, environment="production")), {}, "pending", "approvals_missing"),
    ("a break-glass review is overdue", wanted(break_glass=(BreakGlassUse(id="B-x", environment="production", at=at(9), review_due=at(0), reviewed=False),)), {}, "pending", "review_overdue"),
    ("it was reviewed", wanted(break_glass=(BreakGlassUse(id="B-x", environment="production", at=at(9), review_due=at(0), reviewed=True),)), {}, "approved", None),
    ("it is not due yet", wanted(break_glass=(BreakGlassUse(id="B-x", environment="production", at=at(9), review_due=at(-1), reviewed=False),)), {}, "approved", None),
    ("another environment's review is overdue", wanted(break_glass=(BreakGlassUse(id="B-x", environment="staging", at=at(9), review_due=at(9), reviewed=False),)), {}, "approved", None),
    ("there is no model", wanted(models=(), heads=(head(),)), {}, "error", "no_rule_matched"),
    ("only models that were asked for", wanted(asked=Asked(by=REL, models=("taxi",))), {}, "error", "no_rule_matched"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "found", "changes", "status", "code"), ROWS, ids=[one[0] for one in ROWS])
def test_promotion(name: str, found: Facts, changes: dict[str, str], status: str, code: str | None) -> None:
    decision = verdict(found, **changes)
    assert decision.status == status, decision.headline
    assert code is None or code in codes(decision.tree), sorted(codes(decision.tree))


WINDOWS = [
    ("S91 Wednesday 12:00 UTC is 07:00 in New York", datetime(2026, 2, 25, 12, 0, tzinfo=UTC), "pending"),
    ("S91b 09:00 in New York", datetime(2026, 2, 25, 14, 0, tzinfo=UTC), "approved"),
    ("one second before", datetime(2026, 2, 25, 13, 59, 59, tzinfo=UTC), "pending"),
    ("17:00 belongs to the window no more", datetime(2026, 2, 25, 22, 0, tzinfo=UTC), "pending"),
    ("16:59:59 does", datetime(2026, 2, 25, 21, 59, 59, tzinfo=UTC), "approved"),
    ("Friday", datetime(2026, 3, 6, 15, 0, tzinfo=UTC), "pending"),
    ("in summer 09:00 is 13:00 UTC", datetime(2026, 7, 1, 13, 0, tzinfo=UTC) + timedelta(days=6), "approved"),
    ("month-end until 96 hours later", datetime(2026, 4, 1, 15, 0, tzinfo=UTC), "pending"),
    ("after it", datetime(2026, 4, 2, 15, 0, tzinfo=UTC), "approved"),
]


@pytest.mark.parametrize(("name", "now", "status"), WINDOWS, ids=[one[0] for one in WINDOWS])
def test_windows_follow_the_wall_clock_of_their_zone(name: str, now: datetime, status: str) -> None:
    decision = verdict(long_ago(), ENVIRONMENTS + OFFICE, now=now)
    assert decision.status == status, decision.headline
    assert status == "approved" or "frozen" in codes(decision.tree)


NEW_YORK = """
freeze_windows:
  - {name: f, kind: deny, environments: [production], dtstart: "%s", rrule: "FREQ=DAILY;COUNT=1", duration: %s,
     time_zone: America/New_York}
"""
AUTUMN, SPRING = datetime(2026, 11, 1, 22, tzinfo=UTC), datetime(2026, 3, 8, 22, tzinfo=UTC)  # 17:00 and 18:00 there
CLOCKS = [
    ("four days in autumn end at 18:00", "2026-10-28T18:00:00", "4d", AUTUMN + timedelta(hours=1)),
    ("96 hours in autumn end at 17:00", "2026-10-28T18:00:00", "96h", AUTUMN),
    ("a day in autumn", "2026-10-31T18:00:00", "1d", AUTUMN + timedelta(hours=1)),
    ("24 hours in autumn", "2026-10-31T18:00:00", "24h", AUTUMN),
    ("two weeks in autumn", "2026-10-18T18:00:00", "2w", AUTUMN + timedelta(hours=1)),
    ("1440 minutes in autumn", "2026-10-31T18:00:00", "1440m", AUTUMN),
    ("a day in spring ends at 18:00", "2026-03-07T18:00:00", "1d", SPRING),
    ("24 hours in spring end at 19:00", "2026-03-07T18:00:00", "24h", SPRING + timedelta(hours=1)),
    ("a day until an hour that is there twice", "2026-10-31T01:30:00", "1d", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
    ("a day until an hour that is not there", "2026-03-07T02:30:00", "1d", datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),
    ("a day without a change", "2026-06-01T18:00:00", "1d", datetime(2026, 6, 2, 22, tzinfo=UTC)),
]


@pytest.mark.parametrize(("name", "start", "length", "end"), CLOCKS, ids=[one[0] for one in CLOCKS])
def test_days_and_weeks_are_those_of_the_wall_clock_and_hours_are_elapsed(
    name: str, start: str, length: str, end: datetime
) -> None:
    window = read_environments(ENVIRONMENTS + NEW_YORK % (start, length))
    assert is_open(window, end - timedelta(seconds=1)) and not is_open(window, end)


def read_environments(text: str) -> Window:
    """The first window of it."""
    return p1(environments=text).environments.freeze_windows[0]


def test_a_closed_window_says_when_the_next_opens() -> None:
    decision = verdict(wanted(), ENVIRONMENTS + OFFICE, now=datetime(2026, 3, 6, 15, 0, tzinfo=UTC))
    assert "2026-03-09 09:00" in decision.headline


BUNDLE = SOAK + OFFICE + GLASS
REQUEST = command(REL, "break_glass", environment="production", ago=10, reason="outage")
NAME = request_id(7, REQUEST.id)


def confirm(who: int, ago: float = 5, **changes: Any) -> Opinion:
    return command(who, "break_glass_confirm", target=None, request=NAME, ago=ago, **changes)


BROKEN: list[tuple[str, list[Opinion], dict[str, Any], str, str]] = [
    ("two people", [REQUEST, confirm(OWN)], {}, "approved", "bypassed"),
    ("one alone", [REQUEST], {}, "pending", "soaking"),
    ("one twice", [REQUEST, confirm(REL)], {}, "pending", "soaking"),
    ("without the role", [REQUEST, confirm(VAL)], {}, "pending", "soaking"),
    ("the author confirms", [REQUEST, confirm(OWN)], {"pr": {"merged": True, "author": account(OWN)}}, "pending", "soaking"),
    ("confirmed too late", [REQUEST.model_copy(update={"created_at": at(30)}), confirm(OWN, ago=10)], {}, "pending", "soaking"),
    ("confirmed with an edited comment", [REQUEST, confirm(OWN, edited=True)], {}, "pending", "soaking"),
    ("edited request", [REQUEST.model_copy(update={"edited": True}), confirm(OWN)], {}, "pending", "soaking"),
    ("S99 without a reason", [REQUEST.model_copy(update={"reason": " "}), confirm(OWN)], {}, "pending", "soaking"),
    ("S99b of an artifact that nobody attests", [REQUEST, confirm(OWN)], {"models": (model(attested=False),)}, "rejected", "not_attested"),
    ("of a revoked artifact", [REQUEST, confirm(OWN)], {"revoked": (DIGEST,)}, "rejected", "revoked"),
    ("for other content", [REQUEST.model_copy(update={"target": "E-" + "a" * 16}), confirm(OWN)], {}, "pending", "soaking"),
    ("for another environment", [REQUEST.model_copy(update={"environment": "staging"}), confirm(OWN)], {}, "pending", "soaking"),
    ("the confirmation is taken back", [REQUEST, confirm(OWN), command(OWN, "withdraw", ago=4)], {}, "pending", "soaking"),
    ("both take it back", [REQUEST, confirm(OWN), command(OWN, "withdraw", ago=4), command(REL, "withdraw", ago=3)], {}, "pending", "soaking"),
    ("the request is taken back", [REQUEST, confirm(OWN), command(REL, "withdraw", ago=4)], {}, "pending", "soaking"),
    ("taken back in an edited comment", [REQUEST, confirm(OWN), command(OWN, "withdraw", ago=4, edited=True)], {}, "pending", "soaking"),
    ("taken back before it was given", [REQUEST, command(OWN, "withdraw", ago=6), confirm(OWN)], {}, "approved", "bypassed"),
    ("taken back and given again", [REQUEST, confirm(OWN, 8), command(OWN, "withdraw", ago=6), confirm(OWN)], {}, "approved", "bypassed"),
    ("a review is dismissed, which is something else", [REQUEST, confirm(OWN), review(OWN, "withdraw", ago=4)], {}, "approved", "bypassed"),
    ("somebody else takes back what they said", [REQUEST, confirm(OWN), command(VAL, "withdraw", ago=4)], {}, "approved", "bypassed"),
    ("another request is confirmed", [REQUEST, confirm(OWN).model_copy(update={"request": "B-other"})], {}, "pending", "soaking"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "said", "changes", "status", "code"), BROKEN, ids=[one[0] for one in BROKEN])
def test_break_glass(name: str, said: list[Opinion], changes: dict[str, Any], status: str, code: str) -> None:
    decision = verdict(wanted(*said, **{"environments": (live(1),), **changes}), BUNDLE)
    assert decision.status == status, decision.headline
    assert code in codes(decision.tree), sorted(codes(decision.tree))
    assert decision.flags == (("break_glass",) if status == "approved" else ())


def test_break_glass_runs_out() -> None:
    found = wanted(REQUEST, confirm(OWN), environments=(live(1),))
    assert verdict(found, BUNDLE, now=NOW + timedelta(hours=3, minutes=49)).status == "approved"
    assert verdict(found, BUNDLE, now=NOW + timedelta(hours=3, minutes=50)).status == "pending"


def test_break_glass_never_passes_separation_of_duties() -> None:
    found = wanted(REQUEST, confirm(OWN), environments=(live(1),), training_initiators=(REL,))
    assert verdict(found, BUNDLE, APPROVALS + FOUR_EYES).status == "pending"


def test_break_glass_is_not_flagged_when_nothing_was_passed() -> None:
    found = wanted(REQUEST, confirm(OWN))
    decision = verdict(found, ENVIRONMENTS + GLASS)
    assert (decision.status, decision.flags) == ("approved", ())


def rollback(by: int | None = REL, reason: str = "worse", to: str = DIGEST, **changes: Any) -> Facts:
    digests = {"churn": to} if to else {}
    asked = Asked(action="rollback", by=by, reason=reason, models=("churn",), artifact_digests=digests)
    places = (live(name="production"),)
    return facts(**{"subject": "production", "asked": asked, "environments": places, **changes})


OLDER = "sha256:" + "4" * 64
BACK: list[tuple[str, Facts, str, str, str | None]] = [
    ("by who may", rollback(), ENVIRONMENTS, "approved", None),
    ("by itself", rollback(by=None, reason=""), ENVIRONMENTS, "approved", None),
    ("by who may not", rollback(by=OWN), ENVIRONMENTS, "rejected", "promoter_missing"),
    ("without a reason", rollback(reason=""), ENVIRONMENTS, "pending", "reason_missing"),
    ("through a freeze", rollback(), ENVIRONMENTS + OFFICE, "approved", None),
    ("of a model that the pull request does not change", rollback(models=(), heads=(head(),)), ENVIRONMENTS, "approved", None),
    ("to what was never live", rollback(to="sha256:" + "3" * 64), ENVIRONMENTS, "rejected", "never_live"),
    ("away from what was revoked, by the pull request that brought it", rollback(to=OLDER, revoked=(DIGEST,), environments=(live(name="production", was_live=(DIGEST, OLDER)),)), ENVIRONMENTS, "approved", None),
    ("away from what was revoked, to the last known good", rollback(to="", revoked=(DIGEST,)), ENVIRONMENTS, "approved", None),
    ("to another that was revoked", rollback(to=OLDER, revoked=(OLDER,), environments=(live(name="production", was_live=(DIGEST, OLDER)),)), ENVIRONMENTS, "rejected", "revoked"),
    ("to what was revoked", rollback(revoked=(DIGEST,)), ENVIRONMENTS, "rejected", "revoked"),
    ("not declared", rollback(subject="staging"), ENVIRONMENTS, "rejected", "rollback_not_declared"),
    ("of nobody knows whom", rollback(actors=()), ENVIRONMENTS, "error", "role_unknown"),
    ("locked", rollback(environments=(live(name="production", lock=Lock(holder=account(ANN), reason="x", since=at(1))),)), ENVIRONMENTS, "rejected", "locked"),
    ("not exempt", rollback(), (ENVIRONMENTS + OFFICE).replace("rollback: {roles: [releasers]}", "rollback: {roles: [releasers], exempt_from: []}"), "pending", "frozen"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "found", "environments", "status", "code"), BACK, ids=[one[0] for one in BACK])
def test_rollback(name: str, found: Facts, environments: str, status: str, code: str | None) -> None:
    decision = verdict(found, environments)
    assert decision.status == status, decision.headline
    assert code is None or code in codes(decision.tree), sorted(codes(decision.tree))


def test_policies_are_loaded_once_for_all_rows() -> None:
    assert isinstance(p1(), Policies)
