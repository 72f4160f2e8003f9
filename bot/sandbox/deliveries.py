"""What becomes of an event on its way to the workflows that it starts: it can be lost, repeated, late, out of order.

GitHub promises none of it: https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from bot.sandbox.hub import Happening, Hub

Fate = Literal["lost", "repeated", "delayed", "held", "reordered"]


@dataclass
class Rule:
    """What happens to the next `left` events that match. `count` are copies, or events of one group out of order."""

    fate: Fate
    event: str
    action: str | None
    number: int | None
    left: int
    count: int = 0
    seconds: float = 0.0
    group: list[Happening] = field(default_factory=list)

    def matches(self, happening: Happening) -> bool:
        name = self.event.removesuffix("_target")  # one event starts workflows under both names
        return (
            name in ("*", happening.event)
            and self.action in (None, happening.action)
            and self.number in (None, number_of(happening))
        )


def number_of(happening: Happening) -> int | None:
    """The pull request or issue that an event is about, None when its payload names none."""
    about = happening.payload.get("pull_request") or happening.payload.get("issue") or {}
    return about.get("number")


class Deliveries:
    """Stands between the hub and the engine. Names are as in `on:`; `"*"` is every event, `number` a pull request's."""

    def __init__(self, hub: Hub, deliver: Callable[[Happening], None]) -> None:
        self.hub = hub
        self.deliver = deliver
        self.log: list[tuple[Fate, Happening]] = []
        self.held: list[Happening] = []
        self._rules: list[Rule] = []
        self._late: list[tuple[datetime, Happening]] = []
        self._timers: list[threading.Timer] = []
        hub.clock.moved.append(self.due)

    # --- what shall happen

    def lose(self, event: str = "*", action: str | None = None, *, number: int | None = None, times: int = 1) -> None:
        """The next `times` of these events start nothing."""
        self._rules.append(Rule("lost", event, action, number, times))

    def repeat(
        self, event: str = "*", action: str | None = None, *, number: int | None = None, times: int = 1, copies: int = 1
    ) -> None:
        """The next `times` of these events come again, `copies` times."""
        self._rules.append(Rule("repeated", event, action, number, times, copies))

    def delay(
        self,
        event: str = "*",
        action: str | None = None,
        *,
        number: int | None = None,
        times: int = 1,
        seconds: float | None = None,
    ) -> None:
        """The next `times` of these events come so many seconds of the sandbox's time later; None: when `release`d."""
        fate: Fate = "held" if seconds is None else "delayed"
        self._rules.append(Rule(fate, event, action, number, times, seconds=seconds or 0.0))

    def reorder(
        self, event: str = "*", action: str | None = None, *, number: int | None = None, count: int = 2
    ) -> None:
        """The next `count` of these events come when the last of them does, newest first."""
        self._rules.append(Rule("reordered", event, action, number, count, count))

    def release(self) -> int:
        """Everything that was held, or waits for others, comes now, oldest first; how many events."""
        with self.hub.lock:
            waiting = [one for rule in self._rules for one in rule.group]
            self._rules = [rule for rule in self._rules if not rule.group]
            self.held, freed = [], [*self.held, *waiting]
        for one in freed:
            self.deliver(one)
        return len(freed)

    def clear(self) -> None:
        """No further event is touched; what is held stays so."""
        with self.hub.lock:
            self.held += [one for rule in self._rules for one in rule.group]
            self._rules = []

    # --- what happens

    @property
    def under_way(self) -> int:
        """Events that come by themselves, later."""
        return len(self._late)

    def happened(self, happening: Happening) -> None:
        """As the hub announces it."""
        with self.hub.lock:
            rule = next((one for one in self._rules if one.matches(happening)), None)
            if rule is None:
                come = [happening]
            else:
                rule.left -= 1
                if rule.left <= 0:
                    self._rules.remove(rule)
                self.log.append((rule.fate, happening))
                come = self._fate(rule, happening)
        for one in come:
            self.deliver(one)

    def _fate(self, rule: Rule, happening: Happening) -> list[Happening]:
        """What comes at once."""
        if rule.fate == "repeated":
            return [happening] * (1 + rule.count)
        if rule.fate == "reordered":
            rule.group.append(happening)
            return rule.group[::-1] if rule.left <= 0 else []
        if rule.fate == "held":
            self.held.append(happening)
        elif rule.fate == "delayed":
            self._late.append((self.hub.clock() + timedelta(seconds=rule.seconds), happening))
            timer = threading.Timer(rule.seconds + 1, self.due)  # the clock tells whole seconds
            timer.daemon = True
            self._timers.append(timer)
            timer.start()
        return []

    def due(self) -> None:
        """Deliver what is late by now."""
        with self.hub.lock:
            now = self.hub.clock()
            come = sorted((one for one in self._late if one[0] <= now), key=lambda one: one[0])
            self._late = [one for one in self._late if one[0] > now]
        for _, happening in come:
            self.deliver(happening)

    def stop(self) -> None:
        """Nothing comes any more."""
        self._late, self.held, self._rules = [], [], []
        for timer in self._timers:
            timer.cancel()
