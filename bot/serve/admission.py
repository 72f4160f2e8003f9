"""Which requests are let in: by caller, by what they say they send, and by how much of it comes how fast."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from bot.serve.engine import Engine
from bot.serve.protocol import MAX_DIGITS, PROBABILITIES, Call, RequestError
from bot.serve.serving import Limits, Serving

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
CONTENT = (b"application/json", b"application/octet-stream", b"")


def is_authorized(serving: Serving, header: bytes | None) -> bool:
    """Whether the access token is there, or none is asked for."""
    if serving.token_digest is None:
        return True
    given = hashlib.sha256((header or b"").removeprefix(b"Bearer ")).hexdigest()
    return (header or b"").startswith(b"Bearer ") and hmac.compare_digest(given, serving.token_digest)


def authorize(serving: Serving, header: bytes | None) -> None:
    """Raises RequestError (401) unless the access token is there, when one is asked for."""
    if not is_authorized(serving, header):
        raise RequestError(401, "an access token is needed: Authorization: Bearer ...")


def check_caller(serving: Serving, headers: Mapping[bytes, bytes]) -> None:
    """Raises RequestError (403) for a web page of another origin, and where a name is not ours for one that could be.

    A browser says whose page asks (`Origin`); a page that has its own name pointed at this machine says that name.
    """
    host = headers.get(b"host", b"").decode("latin-1")
    origin = headers.get(b"origin")
    if origin is not None and origin.decode("latin-1").partition("://")[2] != host:
        raise RequestError(403, "a web page of another origin may not ask")
    if serving.hosts is not None and _bare(host) not in serving.hosts:
        raise RequestError(403, f"this server is called {', '.join(sorted(serving.hosts))}")


def _bare(host: str) -> str:
    """A Host header without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def check_content(headers: Mapping[bytes, bytes]) -> None:
    """Raises RequestError (415) for what is neither JSON nor the binary form of it, or is compressed."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind not in CONTENT:
        raise RequestError(415, "send application/json, or application/octet-stream with binary tensors")
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise RequestError(415, "send the body as it is, without Content-Encoding")


def check_size(call: Call, engine: Engine, limits: Limits) -> None:
    """Raises RequestError (413) before more is computed than an answer may hold."""
    width = sum(len(engine.training.classes or "x") if name == PROBABILITIES else 1 for name in call.outputs)
    if call.n * width > limits.values:
        said = f"{call.n} rows of {width} values are more than the {limits.values} of one answer"
        raise RequestError(413, f"{said}: ask for fewer rows, or name fewer `outputs`")


def find(serving: Serving, name: str, version: str | None) -> Engine:
    """The engine of a model. Raises RequestError (404 unknown, 503 not loaded)."""
    engine = serving.engines.get(name)
    if engine is None and name in serving.expected:
        raise RequestError(503, f"{name} is not loaded: {serving.problems.get(name, 'it is being loaded')}")
    if engine is None:
        raise RequestError(
            404, f"there is no model {name[:80]!r}; served: {', '.join(sorted(serving.engines)) or 'none'}"
        )
    if version is not None and version != engine.release.version:
        raise RequestError(404, f"{name} {version[:80]} is not served; {engine.release.version} is")
    return engine


async def read_body(receive: Receive, length: bytes | None, serving: Serving) -> bytes:
    """The whole body. Raises RequestError: 413 as soon as it is known to be too long, 408 when it comes too slowly, 503
    while others' large bodies take what there is. A small body is never kept out by large ones.
    """
    limits, parts, size = serving.limits, list[bytes](), 0
    too_long = RequestError(413, f"the body is longer than {limits.body_bytes} bytes")
    if length is not None and length.isdigit() and (len(length) > MAX_DIGITS or int(length) > limits.body_bytes):
        raise too_long
    began, held = asyncio.get_running_loop().time(), 0
    try:
        while True:
            async with asyncio.timeout_at(began + limits.body_s + size / 2**20):
                message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestError(400, "the caller went away")
            part = message.get("body", b"")
            size += len(part)
            if size > limits.body_bytes:
                raise too_long
            if size > limits.small_bytes:
                held, serving.held = size, serving.held + size - held
                if serving.held > limits.held_bytes:
                    raise RequestError(503, "too many large requests at once; try again")
            parts.append(part)
            if not message.get("more_body"):
                return parts[0] if len(parts) == 1 else b"".join(parts)
    except TimeoutError:
        raise RequestError(408, f"the body did not come within {limits.body_s:.0f} s and 1 s a MB") from None
    finally:
        serving.held -= held
