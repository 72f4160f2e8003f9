"""uvicorn's HTTP protocol with an end to patience: for the head of a request, for its size, for a caller who reads.

uvicorn itself waits for ever: https://www.uvicorn.org/settings/#timeouts. Who keeps a connection open without asking is
closed; when too many of them wait at once, the one that has waited longest goes first, so that others get in.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 10.0  # from the first byte, or the connection, to the end of the head
READ_S = 30.0  # for the caller to take more of an answer that waits
HEAD_BYTES = 64 * 1024
MOST_WAITING = 512

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class PatientProtocol(HttpToolsProtocol):  # type: ignore[misc]  # uvicorn is not typed for us
    """One connection."""

    waiting: dict[PatientProtocol, None] = {}  # noqa: RUF012 - of all connections, the longest first

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head: asyncio.TimerHandle | None = None
        self._read: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._found()
        self._taken()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            if self._head_bytes > HEAD_BYTES:
                self.transport.write(_TOO_LARGE)
                self.transport.abort()
                return
            self._head_bytes += len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        if self._head is None:  # another request on a kept connection
            self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._found()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._read is None:
            self._read = self.loop.call_later(READ_S, self.transport.abort)

    def resume_writing(self) -> None:
        self._taken()
        super().resume_writing()

    def _wait(self) -> None:
        self._head_bytes = 0
        self._head = self.loop.call_later(HEAD_S, self.transport.abort)
        waiting = type(self).waiting
        waiting[self] = None
        if len(waiting) > MOST_WAITING:
            next(iter(waiting)).transport.abort()

    def _found(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None
        type(self).waiting.pop(self, None)

    def _taken(self) -> None:
        if self._read is not None:
            self._read.cancel()
            self._read = None
