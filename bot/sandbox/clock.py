"""The sandbox's time: the machine's, unless somebody moves it or makes it stand still."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Whole seconds, as GitHub's times are. `moved` are called when the time was moved by hand."""

    def __init__(self) -> None:
        self.moved: list[Callable[[], None]] = []
        self._ahead = timedelta()
        self._still: datetime | None = None
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """Now, UTC, aware."""
        with self._lock:
            return self._now()

    def _now(self) -> datetime:
        now = self._still or datetime.now(UTC) + self._ahead
        return now.replace(microsecond=0)

    @property
    def ahead_s(self) -> float:
        """How many seconds this clock is ahead of the machine's; negative when it is behind."""
        return (self() - datetime.now(UTC)).total_seconds() if self._still else self._ahead.total_seconds()

    def set(self, at: datetime) -> None:
        """From now on it is `at` (aware), and time goes on from there."""
        with self._lock:
            if self._still is not None:
                self._still = at.astimezone(UTC)
            else:
                self._ahead = at - datetime.now(UTC)
        for each in self.moved:
            each()

    def advance(self, **spent: float) -> datetime:
        """Move on by what `timedelta` takes: seconds, minutes, hours, days; the time then."""
        self.set(self() + timedelta(**spent))
        return self()

    def stand_still(self) -> None:
        """The time is moved by hand only."""
        with self._lock:
            self._still = self._now()
