"""When an environment goes back by itself, and when it does not."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import UserError
from bot.evaluate import score
from bot.promote.recovery import recovery
from bot.promote.step import promotions, rollback, states_of
from bot.promote.upkeep import DRILLER, drill, follow_up, is_drill_due, record_verification, recover
from bot.records.release import DRILL, Release, Verification
from tests.builders import a_digest
from tests.promote.test_crash import Died, die, fused
from tests.promote.world import RUTH, World

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def a_release(counter: int, word: str, action: str = "promote") -> Release:
    """A release of an hour ago."""
    return Release(
        model="churn", environment="production", version=f"v1.{counter}.0", action=action,  # type: ignore[arg-type]
        artifact_digest=a_digest(word), evaluation_digest=a_digest("e", word), inputs_digest=a_digest("i", word),
        files=(), commit="c" * 40, pull_request=7, approved_by=(), promoted_by=RUTH, reason="",
        released_at="2026-11-23T11:00:00Z", previous_artifact_digest=None, counter=counter,
    )  # fmt: skip


def said(counter: int, word: str, outcome: str, minutes_ago: float = 5) -> Verification:
    """A verification of a release."""
    at = (NOW - timedelta(minutes=minutes_ago)).isoformat()
    return Verification(
        model="churn", environment="production", counter=counter, artifact_digest=a_digest(word),
        outcome=outcome, sentence="error rate 9 %", checked_at=at,  # type: ignore[arg-type]
    )  # fmt: skip


ONE, TWO = a_release(1, "one"), a_release(2, "two")
GOOD = said(1, "one", "passed", 50)


@pytest.mark.parametrize(
    ("history", "checks", "options", "code"),
    [
        ([ONE, TWO], [GOOD, said(2, "two", "failed")], {}, "rolled_back"),
        ([ONE, TWO], [GOOD, said(2, "two", "error")], {}, "verification_error"),
        ([ONE, TWO], [GOOD, said(2, "two", "passed")], {}, "not_failed"),
        ([ONE, TWO], [GOOD], {}, "not_failed"),
        ([ONE, TWO], [GOOD, said(2, "two", "passed", 9), said(2, "two", "failed", 5)], {}, "rolled_back"),
        ([ONE, TWO], [GOOD, said(2, "two", "failed", 9), said(2, "two", "passed", 5)], {}, "not_failed"),
        ([ONE, TWO], [GOOD, said(2, "two", "failed", 21)], {}, "failure_too_old"),
        ([ONE, TWO], [GOOD, said(2, "two", "failed")], {"is_settled": False}, "not_settled"),
        ([ONE, TWO], [GOOD, said(2, "two", "failed")], {"is_enabled": False}, "not_enabled"),
        ([ONE, TWO], [said(2, "two", "failed")], {}, "no_stable_release"),
        ([ONE, TWO], [GOOD, said(1, "one", "failed", 40), said(2, "two", "failed")], {}, "no_stable_release"),
        ([ONE, TWO], [GOOD, said(2, "two", "failed")], {"revoked": [a_digest("one")]}, "no_stable_release"),
        ([ONE, TWO, a_release(3, "one", "rollback")], [GOOD, said(3, "one", "failed")], {}, "no_rollback_of_rollback"),
        ([ONE, a_release(2, "one", "withdraw")], [GOOD], {}, "nothing_live"),
        ([], [], {}, "nothing_live"),
    ],
    ids=[
        "failed: back to the verified one", "an error teaches nothing", "passed", "never verified",
        "a failed re-verification revokes", "passed again after a failure", "a failure older than 20 minutes",
        "while something is being promoted", "not asked for by the policy", "nothing was ever verified",
        "the one before was revoked by its own failure", "the one before was revoked by a person",
        "a rollback is not rolled back", "withdrawn", "never released",
    ],
)  # fmt: skip
def test_kargos_rules(
    history: list[Release], checks: list[Verification], options: dict[str, object], code: str
) -> None:
    """Each rule of when an environment goes back by itself."""
    found = recovery(history, checks, NOW, **{"is_enabled": True, "is_settled": True, **options})  # type: ignore[arg-type]
    assert found.reason_code == code
    assert (found.target is not None) == (code == "rolled_back")
    assert found.sentence


def verified(world: World, release: Release, outcome: str) -> None:
    """A verification of what is live, now."""
    record_verification(
        Verification(
            model="churn", environment=release.environment, counter=release.counter,
            artifact_digest=release.artifact_digest, outcome=outcome, sentence="checked",  # type: ignore[arg-type]
            checked_at=world.clock.now().isoformat(),
        ),
        world.ports(),
    )  # fmt: skip


def test_failed_verification_takes_production_back_once_and_holds(world: World) -> None:
    """After the automatic rollback nothing is promoted by itself, until a person promotes the newest candidate."""
    first = world.promote("one")
    verified(world, first, "passed")
    verified(world, world.promote("two"), "failed")
    for _ in range(2):
        recover("production", "churn", is_enabled=True, is_settled=True, ports=world.ports())
    live = promotions("churn", world.ports())[-1]
    assert (live.action, live.artifact_digest, live.promoted_by) == ("rollback", first.artifact_digest, None)
    assert len(promotions("churn", world.ports())) == 3
    with pytest.raises(UserError) as caught:
        world.promote("three", promoted_by=None)
    assert caught.value.code == "environment_holds"
    assert world.promote("three").hold is False
    assert world.promote("four", promoted_by=None).version == "v1.3.0"


def test_promoting_an_old_version_by_hand_holds(world: World) -> None:
    """Whoever promotes another than the newest candidate does not want it replaced by itself."""
    world.promote("one", "staging")
    world.promote("two", "staging")
    assert world.promote("one", "production").hold is True
    with pytest.raises(UserError, match="holds"):
        world.promote("two", "production", promoted_by=None)
    assert world.promote("two", "production").hold is False


def test_artifact_that_failed_its_verification_is_not_gone_back_to(world: World) -> None:
    """A revoked digest is no rollback target, even when asked for by name."""
    from bot.promote.step import revoked_digests

    first = world.promote("one")
    verified(world, first, "failed")
    world.promote("two")
    ports = world.ports()
    with pytest.raises(UserError) as caught:
        rollback(
            "production", "churn", reason="x", by=RUTH, to_digest=first.artifact_digest, ports=ports,
            revoked=revoked_digests("churn", ports),
        )  # fmt: skip
    assert caught.value.code == "rollback_target_revoked"


def test_drill_goes_back_and_comes_back(world: World) -> None:
    """After a drill the same version is live, nothing holds, and the history shows both ways."""
    world.promote("one", "staging")
    live = world.promote("two", "staging")
    found = drill("staging", "churn", world.ports())
    assert (found.is_done, found.sentence) == (True, "v1.1.0 -> v1.0.0 -> v1.1.0 in staging")
    now = states_of("churn", world.ports())["staging"]
    assert (now.artifact_digest, now.hold) == (live.artifact_digest, False)
    assert [one.action for one in promotions("churn", world.ports())] == ["promote", "promote", "rollback", "promote"]


def test_a_drill_that_died_half_way_comes_back_with_the_next(world: World) -> None:
    """The drill's own rollback is never left standing: the next look promotes what was live before."""
    world.promote("one", "staging")
    live = world.promote("two", "staging")
    rollback("staging", "churn", reason=DRILL, by=DRILLER, ports=world.ports())
    assert is_drill_due("staging", "churn", timedelta(days=7), world.ports())
    assert drill("staging", "churn", world.ports()).is_done
    now = states_of("churn", world.ports())["staging"]
    assert (now.artifact_digest, now.hold) == (live.artifact_digest, False)
    assert not is_drill_due("staging", "churn", timedelta(days=7), world.ports())
    world.clock.at += timedelta(days=7)
    assert is_drill_due("staging", "churn", timedelta(days=7), world.ports())


def test_the_report_says_when_the_last_drill_was_and_how_long_it_took(world: World) -> None:
    world.promote("one", "staging")
    world.promote("two", "staging")
    drill("staging", "churn", world.ports())
    found = score.tests_in_use(promotions("churn", world.ports()), [], [])
    assert re.fullmatch(r"computed: drill in staging on 2026-11-23, to v1.0.0 and back to v1.1.0 in \d+ s", found["I7"])


def test_what_a_verification_asks_for_is_done_once(world: World) -> None:
    """Passed: nothing but a canary to finish; failed: back to the verified one; an error or a switched off rule: no."""
    first = world.promote("one")
    verified(world, first, "passed")
    assert follow_up("production", "churn", world.ports(), is_enabled=True) is None
    verified(world, world.promote("two"), "failed")
    said = follow_up("production", "churn", world.ports(), is_enabled=False)
    assert said is not None and "does not ask for automatic rollback: `mlbot rollback production churn" in said
    said = follow_up("production", "churn", world.ports(), is_enabled=True)
    assert said == "v1.1.0 failed: checked. Back to v1.0.0."
    assert follow_up("production", "churn", world.ports(), is_enabled=True) is None
    assert states_of("churn", world.ports())["production"].artifact_digest == first.artifact_digest


def test_a_promotion_that_is_not_finished_is_waited_for(world: World) -> None:
    """The job that promotes writes its fact last; until then, or until somebody finished it, nothing goes back."""
    verified(world, world.promote("one"), "passed")
    evaluation, pointer = world.candidate("two")
    ports = world.ports()
    with pytest.raises(Died):
        world.let_out(evaluation, pointer, fuse=lambda ports: fused(ports, 1, die))
    verified(world, states_of("churn", ports)["production"], "failed")
    said = follow_up("production", "churn", world.ports(), is_enabled=True)
    assert said == "Something is still being promoted or verified here."
    assert follow_up("production", "churn", world.ports(), is_enabled=True) == "v1.1.0 failed: checked. Back to v1.0.0."


def test_drill_needs_somewhere_to_go(world: World) -> None:
    """Without an earlier release, or on hold, nothing is changed and the reason is said."""
    world.promote("one", "staging")
    found = drill("staging", "churn", world.ports())
    assert (found.is_done, found.seconds) == (False, None)
    assert "no earlier good release" in found.sentence
    assert len(promotions("churn", world.ports())) == 1
