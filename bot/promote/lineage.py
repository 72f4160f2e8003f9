"""What was live, in order: what a rollback goes back to, and whether an environment holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from bot.errors import UserError
from bot.records.release import Release


def in_order(releases: Iterable[Release], environment: str) -> list[Release]:
    """One environment's releases of one model, oldest first, each counter once."""
    by_counter = {release.counter: release for release in releases if release.environment == environment}
    return [by_counter[counter] for counter in sorted(by_counter)]


def carried_out(history: Iterable[Release], action: str, environment: str, trigger: str | None) -> Release | None:
    """What the same request made before: delivered or run again, however much later, it is no new request."""
    same = (one for one in history if (one.action, one.environment) == (action, environment))
    return next((one for one in same if trigger is not None and one.trigger == trigger), None)


def good(history: Iterable[Release]) -> list[Release]:
    """The releases that a rollback may go back to, newest last; the last one is live unless it was withdrawn.

    A promotion is put on top; a rollback takes off everything above its target, since that was found bad.
    """
    stack: list[Release] = []
    for release in history:
        if release.action == "promote":
            stack = [one for one in stack if one.artifact_digest != release.artifact_digest] + [release]
        elif release.action == "rollback":
            digests = [one.artifact_digest for one in stack]
            if release.artifact_digest in digests:
                stack = stack[: digests.index(release.artifact_digest) + 1]
            else:
                stack.append(release)
    return stack


def rollback_target(
    history: list[Release], live: Release | None, what: str, *, to_digest: str | None, revoked: Collection[str] = ()
) -> Release:
    """The release to go back to; `what` names model and environment for people.

    Raises UserError with code `rollback_target_missing`, `rollback_target_live` or `rollback_target_revoked`.
    """
    if to_digest is not None:
        return _named(history, live, what, to_digest, revoked)
    under = [one for one in good(history) if live is None or one.artifact_digest != live.artifact_digest]
    for release in reversed(under):
        if release.artifact_digest not in revoked:
            return release
    said = f"{what}: there is no earlier good release to go back to" if history else f"{what} was never live"
    raise UserError(
        said,
        hint="`mlbot history MODEL` lists what was live; `mlbot promote` lets another version out.",
        code="rollback_target_missing",
    )


def _named(
    history: list[Release], live: Release | None, what: str, to_digest: str, revoked: Collection[str]
) -> Release:
    if live is not None and live.artifact_digest == to_digest:
        hint = "There is nothing to do; `mlbot history MODEL` lists what was live before."
        raise UserError(f"{what}: {to_digest} is live already", hint=hint, code="rollback_target_live")
    if to_digest in revoked:
        hint = "Name another version. What only a verification revoked, one that passes makes good: `mlbot verified`."
        said = f"{what}: {to_digest} was revoked, by a person or by a verification that failed"
        raise UserError(said, hint=hint, code="rollback_target_revoked")
    found = [release for release in history if release.artifact_digest == to_digest]
    if not found:
        raise UserError(
            f"{what}: {to_digest} was never live there",
            hint="A rollback only goes back to what was live; `mlbot promote` lets something new out.",
            code="rollback_target_missing",
        )
    return found[-1]


def hold_after(previous: Release | None, *, by_person: bool, is_candidate: bool) -> bool:
    """Whether the environment holds after a promotion (Kargo: only people set and lift a hold)."""
    if not by_person:
        return previous.hold if previous else False
    return not is_candidate


def live_at(releases: Iterable[Release], at: str) -> list[Release]:
    """What was live at a time (RFC 3339), a release an environment. Raises UserError when it is not a time."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise UserError(f"{at!r} is not a time", hint="Write 2026-03-01T00:00:00Z.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    last: dict[str, Release] = {}
    for release in sorted(releases, key=lambda one: one.counter):
        if datetime.fromisoformat(release.released_at) <= moment:
            last[release.environment] = release
    return [release for _, release in sorted(last.items()) if release.action != "withdraw"]
