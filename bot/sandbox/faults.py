"""Failures made on purpose: the next calls that match end as they do at GitHub on a bad day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.sandbox.http import ApiError, Reply

MESSAGES = {
    403: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    429: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    500: "Server Error",
    502: "Server Error",
    503: "Service unavailable",
}
When = Literal["before", "after"]
How = Literal["status", "reset", "hang", "stale", "declined"]


@dataclass
class Fault:
    """`path` must match somewhere in the request's path. `behind_s` is how old a stale answer is, at least."""

    method: str
    path: re.Pattern[str]
    status: int
    headers: Mapping[str, str]
    message: str
    left: int
    when: When = "before"
    how: How = "status"
    behind_s: float = 0.0

    @property
    def error(self) -> ApiError:
        return ApiError(self.status, self.message, headers=self.headers)

    @property
    def reply(self) -> Reply:
        """What the caller gets in the place of an answer."""
        if self.how == "reset" or self.how == "hang":
            return Reply(None, 0, broken=self.how)
        return Reply(self.error.body, self.error.status, self.error.headers)


@dataclass
class Faults:
    """Faults in the order in which they were asked for."""

    waiting: list[Fault] = field(default_factory=list)

    def add(
        self,
        method: str,
        path: str,
        status: int,
        headers: Mapping[str, str],
        message: str | None,
        times: int,
        *,
        when: When = "before",
        how: How = "status",
        behind_s: float = 0.0,
    ) -> None:
        """See `Sandbox.fail_next`."""
        text = MESSAGES.get(status, "Failure made by the sandbox") if message is None else message
        self.waiting.append(Fault(method.upper(), re.compile(path), status, headers, text, times, when, how, behind_s))

    def take(self, method: str, path: str) -> Fault | None:
        """The failure for this call, None when none is waiting for it."""
        for fault in self.waiting:
            if fault.method in ("*", method) and fault.path.search(path):
                fault.left -= 1
                if fault.left <= 0:
                    self.waiting.remove(fault)
                return fault
        return None
