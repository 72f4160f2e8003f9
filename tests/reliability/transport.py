"""HTTP without a network: the sandbox's API answers PyGithub's own stack, above the socket. Waiting costs no time."""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from urllib3 import HTTPResponse
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from bot.sandbox.http import Reply
from bot.sandbox.limits import headers_of
from bot.sandbox.server import GRAPHQL, Api
from tests.reliability.chaos import Armed, Chaos

HOST = "github.invalid"
REFUSALS = ((403, "Resource not accessible by integration"), (500, "Server Error"), (503, "Service unavailable"))
BUSY = ((403, "You have exceeded a secondary rate limit."), (429, "Too many requests"), (502, "Server Error"))


class Wire:
    """Everything that goes to `http://github.invalid` is answered by `api`, with the faults of `chaos`."""

    def __init__(self, api: Api, chaos: Chaos, wait: Callable[[float], None]) -> None:
        self.api = api
        self.chaos = chaos
        self.wait = wait
        self.refused: dict[tuple[str, str], tuple[int, str]] = {}  # for the whole handler
        self.written: Counter[tuple[int, str, bytes]] = Counter()  # what took effect, by run, path and body

    @contextmanager
    def plugged(self) -> Iterator[None]:
        """While it is, no request of this process leaves it and no sleep takes time."""
        with (
            mock.patch.object(HTTPConnectionPool, "_make_request", self._request()),
            mock.patch.object(time, "sleep", self.wait),
        ):
            yield

    def _request(self) -> Callable[..., HTTPResponse]:
        wire = self

        def make(pool: Any, conn: Any, method: str, url: str, body: Any = None, headers: Any = None, **_: Any) -> Any:
            assert pool.host == HOST, f"a request to {pool.host}"
            reply = wire.answer(pool, method, url, body, dict(headers or {}))
            text = b"" if reply.body is None else reply.body
            data = text if isinstance(text, bytes) else json.dumps(text).encode()
            given = {"Content-Type": "application/json; charset=utf-8", **reply.headers}
            return HTTPResponse(
                body=io.BytesIO(data), headers=given, status=reply.status, preload_content=False,
                request_method=method, request_url=url, decode_content=False, reason="",
            )  # fmt: skip

        return make

    def answer(self, pool: Any, method: str, url: str, body: Any, headers: dict[str, str]) -> Reply:
        raw = body.encode() if isinstance(body, str) else body or b""
        path = urlsplit(url).path
        is_read = method == "GET" or (path in GRAPHQL and b"mutation" not in raw[:40])
        fault = self.chaos.take("api.read" if is_read else "api.write")
        call = (method, path)
        if fault is not None and fault.kind == "api_refused":
            self.refused[call] = fault.random().choice(REFUSALS)
        if call in self.refused and self.chaos.active:
            status, said = self.refused[call]
            return Reply({"message": said, "status": str(status)}, status)
        if fault is not None and fault.kind == "api_busy":
            status, said = fault.random().choice(BUSY)
            return Reply({"message": said, "status": str(status)}, status, {"Retry-After": "3"})
        if fault is not None and fault.kind == "api_reset":
            raise ProtocolError("Connection aborted.", ConnectionResetError(104, "Connection reset by peer"))
        if fault is not None and fault.kind == "api_stale":
            self.api.faults.add(method, ".", 0, {}, None, 1, how="stale", behind_s=fault.random().choice((0, 5, 60)))
        reply, token = self.api.answer(method, url, headers.get("Authorization"), raw)
        if not is_read and reply.status < 300 and token is not None and token.run is not None:
            self.written[token.run, f"{method} {path}", raw] += 1
        self._lost(pool, url, fault)
        self.chaos.done(fault)
        return Reply(reply.body, reply.status, headers_of(self.api.hub.limits(token)) | reply.headers)

    def _lost(self, pool: Any, url: str, fault: Armed | None) -> None:
        """The call took effect; its answer does not come."""
        if fault is None:
            return
        if fault.kind == "api_lost_reset":
            raise ProtocolError("Connection aborted.", ConnectionResetError(104, "Connection reset by peer"))
        if fault.kind == "api_hangs":
            self.wait(15)
            raise ReadTimeoutError(pool, url, "Read timed out. (read timeout=15)")
