"""Concurrency groups: who holds one, who waits, who is put out.

https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox import expressions

MOST_WAITING = 100  # with `queue: max`; whoever comes then is cancelled


class InvalidError(Exception):
    """A `concurrency:` that GitHub refuses: the run fails before its first job."""


@dataclass(eq=False)
class Claim:
    """A run (`job` empty) or one job of it that wants a group of a repository; the case of its letters is nothing."""

    group: str
    run: int
    job: str = ""
    cancels: bool = False  # cancel-in-progress
    queues: bool = False  # queue: max

    def __post_init__(self) -> None:
        self.group = self.group.strip().lower()


@dataclass
class Groups:
    """Every group of every repository (`repository:group` here), whatever workflows use it."""

    _held: dict[str, Claim] = field(default_factory=dict)
    _waiting: dict[str, list[Claim]] = field(default_factory=dict)

    def enter(self, claim: Claim) -> list[Claim]:
        """Hold the group, or wait for it. Those that must go: who waited is out, who holds it does so until it ends.

        The claim itself is among them when the queue is full, and when it waits for its own run.
        """
        holder, waiting = self._held.get(claim.group), self._waiting.setdefault(claim.group, [])
        if holder is None:
            self._held[claim.group] = claim
            return []
        if (claim.queues and len(waiting) >= MOST_WAITING) or (holder.run == claim.run and not holder.job):
            return [claim]
        out = [] if claim.queues else list(waiting)
        waiting[:] = [*([] if out else waiting), claim]
        return [*out, *([holder] if claim.cancels else [])]

    def holds(self, claim: Claim) -> bool:
        return self._held.get(claim.group) is claim

    def leave(self, claim: Claim) -> None:
        """It ended, or wants no more; who waited longest holds the group then."""
        waiting = self._waiting.get(claim.group, [])
        if claim in waiting:
            waiting.remove(claim)
        elif self.holds(claim):
            del self._held[claim.group]
            if waiting:
                self._held[claim.group] = waiting.pop(0)


def claim_of(given: Any, contexts: Mapping[str, Any], repository: str, run: int, job: str = "") -> Claim | None:
    """What `concurrency:` of a workflow or a job asks for, None without a group.

    Raises UnknownError when its expressions rest on what is not known here, InvalidError when GitHub refuses it.
    """
    wanted: Mapping[str, Any] = given if isinstance(given, dict) else {"group": given}
    if not wanted.get("group"):
        return None
    known = dict(contexts)
    group = expressions.fill(str(wanted["group"]), known)
    cancels = expressions.fill(str(wanted.get("cancel-in-progress", "false")), known).strip().lower() == "true"
    queues = wanted.get("queue", "single") == "max"
    if queues and cancels:
        raise InvalidError("`queue: max` and `cancel-in-progress: true` exclude each other")
    return Claim(f"{repository}:{group}", run, job, cancels, queues)
