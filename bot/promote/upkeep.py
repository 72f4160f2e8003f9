"""After a promotion: verifications and what follows from them, and drills that show that the way back is open."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.errors import UserError
from bot.ledger import Environments, Ledger
from bot.ports import Ports
from bot.promote.compose import Drill
from bot.promote.lineage import in_order
from bot.promote.recovery import Recovery, outcome_of, recovery
from bot.promote.step import (
    Summarize,
    evaluation_of,
    finish,
    manifest_of,
    pointer_of,
    promote,
    promotions,
    revoked_digests,
    rollback,
    states_of,
    verifications,
)
from bot.promote.writing import subject
from bot.records.ledger import manifest_path, verification_path
from bot.records.release import DRILL, Approver, Release, Verification

DRILLER = Approver(id=0, login=DRILL, role="bot")


def record_verification(found: Verification, ports: Ports) -> None:
    """Keep a verification in the ledger; the same one twice is one."""
    path = verification_path(found.model, found.counter, found.environment, found.checked_at)
    said = f"verify {found.model} in {found.environment}: {found.outcome}"
    Ledger(ports.ledger).write({path: found.canonical()}, said)


def recover(
    environment: str,
    model: str,
    *,
    is_enabled: bool,
    is_settled: bool,
    ports: Ports,
    summarize: Summarize | None = None,
) -> Recovery:
    """Roll back by itself after a failed verification, when Kargo's rules allow; what was done or why not."""
    finish(model, ports, summarize)
    history = in_order(promotions(model, ports), environment)
    revoked = revoked_digests(model, ports)
    found = recovery(
        history, verifications(model, ports), ports.clock.now(), is_enabled=is_enabled, is_settled=is_settled,
        revoked=revoked,
    )  # fmt: skip
    if found.target is not None:
        failed = history[-1]
        rollback(
            environment, model, reason=found.sentence, by=None, to_digest=found.target.artifact_digest, ports=ports,
            revoked=revoked, trigger=f"failed verification of {failed.counter}", summarize=summarize,
        )  # fmt: skip
    return found


def finish_canary(environment: str, model: str, ports: Ports) -> bool:
    """Give a verified canary all of the traffic, in one commit; False when there was nothing to do."""
    release = states_of(model, ports).get(environment)
    if release is None or release.action == "withdraw":
        return False
    path = manifest_path(environment, model)
    said = f"{subject(release)}: all traffic\n\nModel: {model}\nVersion: {release.version}\n"
    return Environments(ports.environments).write({path: manifest_of(release, None, ports)}, said) is not None


def follow_up(
    environment: str, model: str, ports: Ports, *, is_enabled: bool, summarize: Summarize | None = None
) -> str | None:
    """What the last verification of what is live asks for, done; None when it asks for nothing. Safe to repeat."""
    states = states_of(model, ports).values()  # a promotion whose fact is missing is still under way, or has died
    is_settled = all(Ledger(ports.ledger).is_noted(one) for one in states if one.environment == environment)
    found = recover(environment, model, is_enabled=is_enabled, is_settled=is_settled, ports=ports, summarize=summarize)
    if found.target is not None:
        return found.sentence
    live = states_of(model, ports).get(environment)
    last = outcome_of(live, verifications(model, ports)) if live is not None else None
    if live is not None and last is not None and last.outcome == "passed" and finish_canary(environment, model, ports):
        return f"{live.version} passed: it gets all of the traffic of {environment}."
    return None if found.reason_code in ("nothing_live", "not_failed") else found.sentence


def last_drill(history: list[Release]) -> Release | None:
    """The rollback of the environment's last drill, None when there was none."""
    drills = [one for one in history if one.action == "rollback" and one.promoted_by == DRILLER]
    return drills[-1] if drills else None


def is_drill_due(environment: str, model: str, every: timedelta, ports: Ports) -> bool:
    """Whether the last drill is that old, was never held, or has not come back."""
    history = in_order(promotions(model, ports), environment)
    last = last_drill(history)
    if not history or last is None or last == history[-1]:
        return bool(history)
    return ports.clock.now() - datetime.fromisoformat(last.released_at) >= every


def drill(environment: str, model: str, ports: Ports, summarize: Summarize | None = None) -> Drill:
    """Rehearse a rollback: go back, see that it is live, come back to what was there; for staging, on a schedule.

    Says why not, and changes nothing, when there is nothing to go back to or the environment holds. One that died
    half-way comes back first.
    """
    live = finish(model, ports, summarize).get(environment)
    if live is not None and live.action == "rollback" and live.promoted_by == DRILLER:
        before = in_order(promotions(model, ports), environment)[-2]
        return _come_back(before, live, live, ports, summarize)
    if live is None or live.action == "withdraw" or live.hold:
        return Drill(False, f"{model} is not live in {environment}, or it holds", None)
    try:
        back = rollback(
            environment, model, reason=DRILL, by=DRILLER, ports=ports, revoked=revoked_digests(model, ports),
            summarize=summarize,
        )  # fmt: skip
    except UserError as error:
        return Drill(False, error.message, None)
    return _come_back(live, back, states_of(model, ports)[environment], ports, summarize)


def _come_back(live: Release, back: Release, seen: Release, ports: Ports, summarize: Summarize | None) -> Drill:
    """`live` is there again; `seen` is what the branch said between."""
    again = promote(
        live.model, live.environment, evaluation_of(live, ports), pointer_of(live, ports), commit=live.commit,
        number=live.pull_request, approved_by=live.approved_by, promoted_by=DRILLER, reason="end of the rollback drill",
        ports=ports, is_candidate=True, decision_digest=live.decision_digest, summarize=summarize,
    )  # fmt: skip
    seconds = (datetime.fromisoformat(again.released_at) - datetime.fromisoformat(back.released_at)).total_seconds()
    done = seen.artifact_digest == back.artifact_digest != live.artifact_digest
    return Drill(done, f"{live.version} -> {back.version} -> {live.version} in {live.environment}", seconds)
