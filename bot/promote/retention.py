"""Which stored artifacts something still needs, and which may go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.records.ledger import Head
from bot.records.release import Release


@dataclass(frozen=True)
class Stored:
    """An evaluated artifact of the ledger. `pointer` is the text of its DVC pointer."""

    model: str
    evaluation_digest: str
    pointer: str
    stored_at: datetime


@dataclass(frozen=True)
class Kept:
    """Why an artifact stays; `reason` empty means that it may go."""

    stored: Stored
    reason: str


def sorted_out(
    stored: Iterable[Stored],
    releases: Iterable[Release],
    heads: Iterable[Head],
    open_numbers: Collection[int] | None,
    now: datetime,
    keep: timedelta,
    erased: Collection[str] = (),
) -> list[Kept]:
    """Each artifact with the first reason to keep it.

    What was ever live is never removed, but what people want erased (`erased`, evaluation digests). `open_numbers` None
    (GitHub was not asked) counts every pull request as open.
    """
    live = {release.evaluation_digest: release for release in releases}
    waiting: dict[str, int] = {}
    for head in heads:
        if open_numbers is None or head.number in open_numbers:
            waiting |= {one.evaluation_digest: head.number for one in head.models.values() if one.evaluation_digest}
    found = []
    for one in sorted(stored, key=lambda one: (one.model, one.stored_at)):
        reason = ""
        if one.evaluation_digest in erased:
            pass
        elif one.evaluation_digest in live:
            release = live[one.evaluation_digest]
            reason = f"was live in {release.environment} as {release.version}"
        elif one.evaluation_digest in waiting:
            reason = f"pull request #{waiting[one.evaluation_digest]} may still be merged"
        elif now - one.stored_at < keep:
            reason = f"younger than {keep.days} days"
        found.append(Kept(one, reason))
    return found


def removable(kept: Iterable[Kept], objects: Mapping[str, Collection[str]], needed: Collection[str]) -> list[str]:
    """Objects that only artifacts that may go refer to, sorted; `objects` by pointer, `needed` by anything else."""
    stay: set[str] = set(needed)
    leave: set[str] = set()
    for one in kept:
        (stay if one.reason else leave).update(objects[one.stored.pointer])
    return sorted(leave - stay)
