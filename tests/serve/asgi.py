"""Calls an ASGI application without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True)
class Answer:
    """One response."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return orjson.loads(self.content)


class Client:
    """A caller of one application."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return asyncio.run(self._call("GET", path, b"", headers or {}))

    def post(
        self, path: str, *, json: Any = None, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        return asyncio.run(self._call("POST", path, orjson.dumps(json) if json is not None else content, headers or {}))

    async def _call(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        said: list[dict[str, Any]] = []
        parts = [body[: len(body) // 2], body[len(body) // 2 :]]

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        raw = [(name.lower().encode(), text.encode()) for name, text in headers.items()]
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "root_path": "",
            "query_string": b"", "headers": raw, "http_version": "1.1", "scheme": "http", "server": ("test", 80),
        }  # fmt: skip
        await self.app(scope, receive, send)
        names = {name.decode(): text.decode() for name, text in said[0]["headers"]}
        return Answer(said[0]["status"], names, b"".join(one.get("body", b"") for one in said[1:]))
