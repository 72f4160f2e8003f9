"""Typed access to a GitHub payload: bytes in, values of the expected kind out, and the path of what is wrong."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.errors import UserError
from bot.records.event import LOGIN_PATTERN, Account

MAX_PAYLOAD_BYTES = 25 * 1024 * 1024  # GitHub caps payloads at 25 MB
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LOGIN = re.compile(rf"{LOGIN_PATTERN}(?:\[bot\])?")


class Payload:
    """A JSON object of GitHub's, asked by dotted path. Every getter raises UserError (code `payload_invalid`)."""

    def __init__(self, content: dict[str, Any], event: str, workflow: str) -> None:
        self._content = content
        self._event = event
        self.workflow = workflow

    @classmethod
    def parse(cls, data: bytes, event: str, workflow: str) -> Payload:
        """Read the bytes; `event` names them in errors, `workflow` is the one that runs."""
        if len(data) > MAX_PAYLOAD_BYTES:
            raise _invalid(event, "", f"{len(data)} bytes are more than GitHub sends")
        try:
            content = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise _invalid(event, "", f"not JSON: {error}") from None
        if not isinstance(content, dict):
            raise _invalid(event, "", "not a JSON object")
        return cls(content, event, workflow)

    def get(self, path: str) -> Any:
        """The value at the path, None when a step of it is not there."""
        value: Any = self._content
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def text(self, path: str, *, limit: int = 1024) -> str:
        """A string of at most `limit` characters."""
        value = self.get(path)
        if not isinstance(value, str) or len(value) > limit:
            raise self.wrong(path, f"expected text of at most {limit} characters")
        return value

    def number(self, path: str) -> int:
        """A positive integer."""
        value = self.get(path)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
            raise self.wrong(path, "expected a positive integer")
        return value

    def flag(self, path: str) -> bool:
        """A boolean; absent and null mean false."""
        value = self.get(path)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(path, "expected true or false")
        return bool(value)

    def sha(self, path: str) -> str:
        """A full commit id, 40 or 64 lower-case hexadecimal digits."""
        value = self.get(path)
        if not isinstance(value, str) or not _SHA.fullmatch(value):
            raise self.wrong(path, "expected a full commit id")
        return value

    def account(self, path: str) -> Account:
        """An account. A kind that we do not know counts as a bot, since bots never hold a person's role."""
        login, kind = self.text(f"{path}.login"), self.get(f"{path}.type")
        if not _LOGIN.fullmatch(login):
            raise self.wrong(f"{path}.login", "expected a login")
        return Account(
            id=self.number(f"{path}.id"),
            login=login,
            kind=kind if kind in ("User", "Bot", "Organization") else "Bot",
        )

    def wrong(self, path: str, expected: str) -> UserError:
        """The error for a value that is not what GitHub documents."""
        return _invalid(self._event, path, expected)


def _invalid(event: str, path: str, problem: str) -> UserError:
    where = f"{event} payload: {path}" if path else f"{event} payload"
    return UserError(
        f"{where}: {problem}",
        hint="GITHUB_EVENT_PATH must name the payload that GitHub delivered for GITHUB_EVENT_NAME.",
        code="payload_invalid",
    )
