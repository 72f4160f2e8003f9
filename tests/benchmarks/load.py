"""A closed-loop HTTP load generator of one process: connections that ask again as soon as they are answered.

As a script: `python load.py PORT PATH BODY_FILE CONNECTIONS SECONDS` prints a JSON line.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Tally:
    """Latencies in seconds of good answers, statuses of the others, connections that broke."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    broken: int = 0
    versions: set[str] = field(default_factory=set)


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, request: bytes, tally: Tally, until: float) -> None:
        self.request, self.tally, self.until = request, tally, until
        self.done = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._ask()

    def _ask(self) -> None:
        self.waiting = True
        self.began = time.perf_counter()
        self.transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self.buffer.lower().find(b"content-length:", 0, end)
        length = int(self.buffer[at + 15 : self.buffer.find(b"\r\n", at)])
        if len(self.buffer) < end + 4 + length:
            return
        now, status = time.perf_counter(), self.buffer[9:12].decode()
        self.waiting = False
        if status == "200":
            self.tally.seconds.append(now - self.began)
            mark = self.buffer.find(b'"model_version":"')
            self.tally.versions.add(self.buffer[mark + 17 : mark + 23].decode() if mark > 0 else "")
        else:
            self.tally.statuses[status] = self.tally.statuses.get(status, 0) + 1
        self.buffer = b""
        if now >= self.until:
            self.transport.close()
            return
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self.tally.broken += self.waiting
        if not self.done.done():
            self.done.set_result(None)


async def load(port: int, path: str, body: bytes, connections: int, seconds: float) -> Tally:
    """Ask for so many seconds over so many connections."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    tally, until, loop = Tally(), time.perf_counter() + seconds, asyncio.get_running_loop()
    callers = [
        (await loop.create_connection(lambda: Caller(request, tally, until), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(caller.done for caller in callers))
    return tally


def summary(tally: Tally, seconds: float) -> dict[str, object]:
    """Requests a second and latencies in milliseconds."""
    times = sorted(tally.seconds)

    def at(q: float) -> float:
        return round(1000 * times[min(len(times) - 1, int(q * len(times)))], 3) if times else 0.0

    return {
        "rps": round(len(times) / seconds), "n": len(times), "p50_ms": at(0.5), "p99_ms": at(0.99),
        "statuses": tally.statuses, "broken": tally.broken, "versions": sorted(tally.versions),
    }  # fmt: skip


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.install()
    except ImportError:
        pass
    port_, path_, body_, connections_, seconds_ = sys.argv[1:]
    found = asyncio.run(load(int(port_), path_, Path(body_).read_bytes(), int(connections_), float(seconds_)))
    print(json.dumps(summary(found, float(seconds_))))
