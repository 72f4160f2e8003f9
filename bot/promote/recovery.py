"""When an environment goes back by itself, by Kargo's rules (https://docs.kargo.io): rarely, and never in a circle."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.records.release import Release, Verification

MAX_AGE = timedelta(minutes=20)  # an older failure is no news; people have seen it


@dataclass(frozen=True)
class Recovery:
    """Whether to roll back by itself, and where to. `target` None means no, with the reason."""

    target: Release | None
    reason_code: str
    sentence: str


def outcome_of(release: Release, checks: Sequence[Verification]) -> Verification | None:
    """The last verification of a release that learnt anything; None when there is none. `error` teaches nothing."""
    said = [
        one
        for one in checks
        if (one.environment, one.artifact_digest) == (release.environment, release.artifact_digest)
        and one.counter >= release.counter
        and one.outcome != "error"
    ]
    return max(said, key=lambda one: datetime.fromisoformat(one.checked_at), default=None)


def stable(history: Sequence[Release], checks: Sequence[Verification], revoked: Collection[str] = ()) -> Release | None:
    """The last release of an environment that was verified there, with bytes that are not live now."""
    live = history[-1].artifact_digest if history else None
    for release in reversed(history):
        if release.artifact_digest in (live, *revoked) or release.action == "withdraw":
            continue
        found = outcome_of(release, [one for one in checks if one.counter == release.counter])
        if found is not None and found.outcome == "passed":
            return release
    return None


def recovery(
    history: Sequence[Release],
    checks: Sequence[Verification],
    now: datetime,
    *,
    is_enabled: bool,
    is_settled: bool,
    revoked: Collection[str] = (),
) -> Recovery:
    """What to do about an environment's last verification.

    `history` are its releases, oldest first; `is_settled` says that nothing is being promoted or verified there.
    """
    if not history or history[-1].action == "withdraw":
        return Recovery(None, "nothing_live", "Nothing is live.")
    live = history[-1]
    last = max(
        (one for one in checks if (one.environment, one.counter) == (live.environment, live.counter)),
        key=lambda one: datetime.fromisoformat(one.checked_at),
        default=None,
    )
    if last is None or last.outcome == "passed":
        return Recovery(None, "not_failed", f"{live.version} has not failed its verification.")
    if last.outcome == "error":
        return Recovery(None, "verification_error", f"The verification of {live.version} did not run: {last.sentence}")
    if not is_enabled:
        said = f"policies/environments.yaml does not ask for automatic rollback: `mlbot rollback {live.environment} "
        return Recovery(None, "not_enabled", f"{said}{live.model} --reason ...` takes {live.version} back.")
    if not is_settled:
        return Recovery(None, "not_settled", "Something is still being promoted or verified here.")
    if live.action == "rollback":
        return Recovery(None, "no_rollback_of_rollback", f"{live.version} is a rollback itself; people must look.")
    if now - datetime.fromisoformat(last.checked_at) > MAX_AGE:
        return Recovery(None, "failure_too_old", f"The failure of {live.version} is older than 20 minutes.")
    target = stable(history, checks, revoked)
    if target is None:
        return Recovery(None, "no_stable_release", "No earlier release was verified here.")
    return Recovery(target, "rolled_back", f"{live.version} failed: {last.sentence}. Back to {target.version}.")
