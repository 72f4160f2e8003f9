"""The endpoint: predictions by plain ASGI, all other pages by Starlette."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import UserError
from bot.serve.admission import (
    Receive,
    authorize,
    check_caller,
    check_content,
    check_size,
    find,
    is_authorized,
    read_body,
)
from bot.serve.batching import Batcher
from bot.serve.engine import Engine
from bot.serve.protocol import HEADER_LENGTH, Call, RequestError, output_tensors, read_call, response_head
from bot.serve.serving import Serving

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
INFER = re.compile(r"/v2/models/(?P<model>[^/]+)(?:/versions/(?P<version>[^/]+))?/infer")


def build(serving: Serving) -> Application:
    """The application. The path of predictions is matched first, without the layers around the pages."""
    infer, pages = Infer(serving), _pages(Pages(serving))

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        found = INFER.fullmatch(scope["path"])
        if found is not None:
            await infer(found["model"], found["version"], scope, receive, send)
            return
        try:
            check_caller(serving, dict(scope["headers"]))
        except RequestError as error:
            await respond(send, error.status, orjson.dumps({"error": error.message}), [])
            return
        await pages(scope, receive, send)

    return application


def _pages(pages: Pages) -> Starlette:
    routes = [
        Route(f"/v2/models/{{model}}{version}{action}", endpoint, methods=["GET"])
        for version in ("", "/versions/{version}")
        for action, endpoint in (("/ready", pages.model_ready), ("", pages.model))
    ]
    routes += [
        Route("/v2", pages.server, methods=["GET"]),
        Route("/v2/models", pages.models, methods=["GET"]),
        Route("/v2/health/live", pages.live, methods=["GET"]),
        Route("/v2/health/ready", pages.server_ready, methods=["GET"]),
        Route("/metrics", pages.metrics, methods=["GET"]),
    ]
    return Starlette(routes=routes)


class Infer:
    """POST .../infer."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.batchers: dict[str, Batcher] = {}

    def _batcher(self, engine: Engine) -> Batcher:
        found = self.batchers.get(engine.release.model)
        if found is None or found.engine is not engine:  # the old one answers those who wait for it
            found = self.batchers[engine.release.model] = Batcher(engine, self.serving.limits.inline_rows)
        return found

    async def __call__(self, name: str, asked_version: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; `asked_version` None: whichever is live."""
        serving, began = self.serving, self.serving.monotonic()
        engine = serving.engines.get(name)
        version, status, n = engine.release.version if engine else "", 200, 0
        try:
            if scope["method"] != "POST":
                raise RequestError(405, "use POST")
            headers = dict(scope["headers"])
            check_caller(serving, headers)
            authorize(serving, headers.get(b"authorization"))
            engine = find(serving, name, asked_version)
            check_content(headers)
            body = await read_body(receive, headers.get(b"content-length"), serving)
            if serving.in_flight >= serving.limits.concurrency:
                raise RequestError(503, "too many requests at once; try again")
            serving.in_flight += 1
            try:
                call, payload, extra = await self._answer(engine, body, headers)
            finally:
                serving.in_flight -= 1
            n = call.n
        except UserError as error:
            status, payload, extra = getattr(error, "status", 400), orjson.dumps({"error": error.message}), []
        except Exception as error:  # a pipeline may raise anything; its caller gets an answer, the operator the reason
            serving.failed(error)
            status, payload, extra = 500, orjson.dumps({"error": "the model failed on this request"}), []
        await respond(send, status, payload, extra)
        serving.metrics.served(name if engine else "", version, status, n, serving.monotonic() - began)

    async def _answer(
        self, engine: Engine, body: bytes, headers: Mapping[bytes, bytes]
    ) -> tuple[Call, bytes, list[tuple[bytes, bytes]]]:
        length = headers.get(HEADER_LENGTH.encode())
        limits = self.serving.limits
        call = read_call(body, engine.training, length.decode("latin-1") if length else None, max_rows=limits.rows)
        check_size(call, engine, limits)
        if call.n > limits.inline_rows:
            predicted, probabilities = await asyncio.to_thread(engine.predict, call.columns)
        elif engine.quick:
            predicted, probabilities = engine.predict(call.columns)
        else:
            predicted, probabilities = await self._batcher(engine).predict(call.columns, call.n)
        kept = self.serving.log(engine, call, predicted, probabilities) if self.serving.log is not None else None
        told = {"artifact_digest": engine.release.artifact_digest} | ({"request_id": kept} if kept else {})
        tensors, tail = output_tensors(call, predicted, probabilities)
        head = response_head(engine.release.model, engine.release.version, call.id or kept)
        text = orjson.dumps({**head, "parameters": told, "outputs": tensors})
        if not tail:
            return call, text, []
        extra = [(HEADER_LENGTH.encode(), str(len(text)).encode())]
        return call, text + b"".join(tail), extra


class Pages:
    """Health, metadata and metrics."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving

    async def server(self, _: Request) -> Response:
        return answer({"name": "mlbot", "version": "2", "extensions": ["binary_tensor_data"]})

    async def live(self, _: Request) -> Response:
        return answer({"live": True})

    async def server_ready(self, request: Request) -> Response:
        ready = self.serving.ready()
        problems = self.serving.problems if is_authorized(self.serving, _token(request)) else {}
        return answer({"ready": ready, **({"problems": problems} if problems else {})}, 200 if ready else 503)

    async def models(self, request: Request) -> Response:
        return self._guarded(
            request, lambda: {"models": [engine.metadata() for _, engine in sorted(self.serving.engines.items())]}
        )

    async def model(self, request: Request) -> Response:
        return self._guarded(request, lambda: self._found(request).metadata())

    async def model_ready(self, request: Request) -> Response:
        return self._guarded(request, lambda: {"name": self._found(request).release.model, "ready": True})

    async def metrics(self, request: Request) -> Response:
        try:
            authorize(self.serving, _token(request))
        except RequestError as error:
            return answer({"error": error.message}, error.status)
        engines = self.serving.engines
        live = {name: (one.release.version, one.release.artifact_digest) for name, one in engines.items()}
        self.serving.metrics.dropped_logs = self.serving.dropped()
        return PlainTextResponse(self.serving.metrics.text(live), media_type="text/plain; version=0.0.4")

    def _found(self, request: Request) -> Engine:
        return find(self.serving, request.path_params["model"], request.path_params.get("version"))

    def _guarded(self, request: Request, make: Callable[[], dict[str, Any]]) -> Response:
        try:
            authorize(self.serving, _token(request))
            return answer(make())
        except RequestError as error:
            return answer({"error": error.message}, error.status)


def _token(request: Request) -> bytes:
    return (request.headers.get("authorization") or "").encode("latin-1")


async def respond(send: Send, status: int, payload: bytes, extra: list[tuple[bytes, bytes]]) -> None:
    """One response; binary tensors are announced by the extra header."""
    kind = b"application/octet-stream" if extra else b"application/json"
    headers = [(b"content-type", kind), (b"content-length", str(len(payload)).encode()), *extra]
    if status in (408, 413):  # the rest of the body is still on its way
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": payload})


def answer(value: dict[str, Any], status: int = 200) -> Response:
    """A JSON response."""
    return Response(orjson.dumps(value), status, media_type="application/json")
