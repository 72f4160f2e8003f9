"""Answers that are no JSON: a difference, patches, the bytes of a file, a bare commit id, by what the caller accepts.

https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api#media-types
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.sandbox.http import Call, Reply

_WANTED = re.compile(r"application/vnd\.github\.(?:v3\.)?(diff|patch|raw|sha)\b")


def instead(call: Call, kinds: dict[str, Callable[[], bytes]]) -> Reply | None:
    """The answer in the kind that the caller wants, None when it wants JSON or nothing of `kinds`."""
    found = _WANTED.search(call.headers.get("accept", ""))
    if found is None or found[1] not in kinds:
        return None
    return Reply(kinds[found[1]](), 200, {"Content-Type": f"application/vnd.github.{found[1]}; charset=utf-8"})
