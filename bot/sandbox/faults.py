"""Failures made on purpose: the next calls that match answer as GitHub does on a bad day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.sandbox.http import ApiError

MESSAGES = {
    403: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    429: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    500: "Server Error",
    502: "Server Error",
    503: "Service unavailable",
}


@dataclass
class Fault:
    method: str
    path: re.Pattern[str]
    status: int
    headers: Mapping[str, str]
    message: str
    left: int


@dataclass
class Faults:
    """Faults in the order in which they were asked for."""

    waiting: list[Fault] = field(default_factory=list)

    def add(
        self, method: str, path: str, status: int, headers: Mapping[str, str], message: str | None, times: int
    ) -> None:
        """`path` is a regular expression that must match somewhere in the request's path."""
        text = MESSAGES.get(status, "Failure made by the sandbox") if message is None else message
        self.waiting.append(Fault(method.upper(), re.compile(path), status, headers, text, times))

    def take(self, method: str, path: str) -> ApiError | None:
        """The failure for this call, None when none is waiting for it."""
        for fault in self.waiting:
            if fault.method in ("*", method) and fault.path.search(path):
                fault.left -= 1
                if fault.left <= 0:
                    self.waiting.remove(fault)
                return ApiError(fault.status, fault.message, headers=fault.headers)
        return None
