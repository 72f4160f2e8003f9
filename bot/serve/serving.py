"""What a server has loaded, and what it lets callers ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.serve.engine import Engine
from bot.serve.metrics import Metrics
from bot.serve.protocol import Call

Log = Callable[[Engine, Call, Any, Any], str | None]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one request may ask for. `values` counts numbers and labels of its answer. A body has `body_s` seconds, and
    one more for each MB that has come; bodies that are larger than `small_bytes` may take `held_bytes` together while
    they come. `inline_rows`: larger requests are computed on a thread, not on the event loop.
    """

    body_bytes: int = 16 * 1024 * 1024
    rows: int = 100_000
    values: int = 2_000_000
    concurrency: int = 64
    inline_rows: int = 256
    small_bytes: int = 64 * 1024
    held_bytes: int = 128 * 1024 * 1024
    body_s: float = 10.0


@dataclass
class Serving:
    """What is loaded now. `engines` is replaced as a whole, so that a request keeps the engine it began with.

    `token_digest` is the SHA-256 (hexadecimal) of the callers' token; the token itself is not here. `hosts` are the
    names that a caller may call this machine by, None for any: where no token is asked for, that keeps web pages out.
    """

    monotonic: Callable[[], float]
    engines: Mapping[str, Engine] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    expected: frozenset[str] = frozenset()
    started: bool = False
    limits: Limits = Limits()
    metrics: Metrics = field(default_factory=Metrics)
    token_digest: str | None = None
    hosts: frozenset[str] | None = None
    log: Log | None = None
    dropped: Callable[[], int] = int
    failed: Callable[[Exception], None] = print
    in_flight: int = 0
    held: int = 0

    def ready(self) -> bool:
        """Whether every model that should be served is."""
        return self.started and self.expected <= set(self.engines)
