"""Which fault strikes a handler, and where: at its n-th read or write of a kind."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


class SimulatedCrash(BaseException):
    """The runner is gone; nobody can catch it."""


# What a handler asks of the world, by boundary. A write is what others can see afterwards.
READS = ("api.read", "git.fetch", "store.fetch")
WRITES = ("api.write", "git.push", "store.write", "output", "disk")

# kind -> boundaries at which it can strike
KINDS: dict[str, tuple[str, ...]] = {
    "api_refused": ("api.read", "api.write"),  # an error for this call, whatever the client tries again
    "api_busy": ("api.read", "api.write"),  # an error that the next attempt does not meet
    "api_reset": ("api.read", "api.write"),
    "api_lost_answer": ("api.write",),  # it took effect, and nobody heard
    "api_lost_reset": ("api.write",),
    "api_hangs": ("api.write",),
    "api_stale": ("api.read",),
    "push_refused": ("git.push",),
    "push_reset": ("git.push",),
    "push_lost_answer": ("git.push",),
    "push_race": ("git.push",),
    "fetch_fails": ("git.fetch",),
    "store_fails": ("store.fetch", "store.write"),
    "store_other_bytes": ("store.fetch",),
    "disk_full": ("disk", "output", "store.fetch"),
    "crash_before": WRITES,
    "crash_after": WRITES,
}


@dataclass
class Armed:
    """A fault that waits for its place: the `left`-th call (from 0) of its boundaries in the next handler."""

    kind: str
    left: int
    seed: int

    @property
    def boundaries(self) -> tuple[str, ...]:
        return KINDS[self.kind]

    def random(self) -> random.Random:
        return random.Random(self.seed)


@dataclass
class Chaos:
    """Counts every call of a handler, and says which fault strikes it. Outside of a handler nothing strikes."""

    armed: list[Armed] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    active: int = 0
    hit: list[str] = field(default_factory=list)  # kinds that struck the present handler
    race: Callable[[], None] | None = None

    def take(self, boundary: str) -> Armed | None:
        """The fault for this call; crashes before it are raised here."""
        if not self.active:
            return None
        for one in list(self.armed):
            if boundary not in one.boundaries:
                continue
            if one.left > 0:
                one.left -= 1
                continue
            self.armed.remove(one)
            self.struck[one.kind] += 1
            self.hit.append(one.kind)
            if one.kind == "crash_before":
                raise SimulatedCrash(f"before {boundary}")
            return one
        return None

    def done(self, fault: Armed | None) -> None:
        """After the call took effect."""
        if fault is not None and fault.kind == "crash_after":
            raise SimulatedCrash("after the call")
