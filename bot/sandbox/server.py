"""The HTTP door: a request is counted, authenticated, routed, authorised, answered; git goes to git's own server."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import re
import socket
import socketserver
import ssl
import struct
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from bot.errors import UserError
from bot.sandbox import downloads, gate, limits, routes, smart_http, tls
from bot.sandbox.faults import Faults
from bot.sandbox.http import ApiError, Call, MovedError, Page, Reply, Route, not_found
from bot.sandbox.hub import Hub
from bot.sandbox.pages.site import Request
from bot.sandbox.routes.graphql import PATHS as GRAPHQL
from bot.sandbox.store import Token

_PREFIX = "/api/v3"
_LOCAL = re.compile(r"(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3})(:\d{1,5})?", re.IGNORECASE)
MAX_HANG_S = 300.0
MAX_REQUEST_BYTES = 512 * 1024 * 1024


def _compile(pattern: str) -> re.Pattern[str]:
    text = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", pattern)
    return re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", text) + "$")


TABLE: list[tuple[re.Pattern[str], Route]] = [(_compile(route.pattern), route) for route in routes.ALL]


class Api:
    """The REST API as a function of a request. `pages` answers what is not API and not git, or None."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.faults = Faults()
        self.gate = gate.Gate(hub)
        self.log: list[tuple[str, str, int, int | None, bool]] = []  # method, path, status, run, asked by a person
        self.pages: Callable[[Request], Reply | None] | None = None
        self.reads_need_token = False  # a sandbox sets it: a public repository is still a server on somebody's machine

    def token(self, header: str | None) -> Token | None:
        """Who an Authorization header names. Raises 401 for a token that is wrong or expired."""
        if not header:
            return None
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "basic":
            value = base64.b64decode(value).decode(errors="replace").partition(":")[2]
        found = self.hub.data.tokens.get(value.strip())
        if found is None or found.expired:
            raise ApiError(401, "Bad credentials")
        return found

    def answer(
        self,
        method: str,
        target: str,
        header: str | None,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        web: str = "",
    ) -> tuple[Reply, Token | None]:
        """Never raises: a defect of ours is a 500, as it would be at GitHub.

        `headers` are the request's, in lower case; `web` is the server's address as the caller knows it.
        """
        parts = urlsplit(target)
        prefix = _PREFIX if parts.path.startswith(_PREFIX + "/") else ""
        path = parts.path.removeprefix(prefix)
        token = None
        try:
            path = _by_name(self.hub, path)
            found = _match(method, path)
            token = None if found and found[0].signed_by_app else self.token(header)
            self._count(token, "graphql" if path in GRAPHQL else "core")
            fault = self.faults.take(method, path)
            if fault is not None and fault.when == "before" and fault.how != "stale":
                reply = fault.reply
            elif found is None:
                raise not_found()
            else:
                route, params = found
                web = web or self.hub.url
                _follow(self.hub, method, params, path, parts.query, web + prefix)
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                hub = self.hub.earlier(fault.behind_s) if fault and fault.how == "stale" else self.hub
                given = None if route.takes_bytes else _json(body)
                call = Call(hub, method, params, query, given, token, web + prefix, header, web, headers or {}, body)
                if token is None and self.reads_need_token and not route.signed_by_app:
                    raise ApiError(401, "Requires authentication")
                reply = self._call(route, call, path)
                reply = fault.reply if fault and fault.how != "stale" else reply
        except ApiError as error:
            reply = Reply(error.body, error.status, error.headers)
        except Exception:
            traceback.print_exc()
            reply = Reply({"message": "Server Error"}, 500)
        person = token is not None and token.permissions is None
        self.log.append((method, path, reply.status, token.run if token else None, person))
        return reply, token

    def _count(self, token: Token | None, resource: str) -> None:
        """A GraphQL query is charged by its points when it is known what they are."""
        if resource == "core":
            limits.check_primary(self.hub, token)
            self.hub.spend(token, 1)
        if token is not None and token.run is not None:
            self.hub.count_request(token.run)

    def _call(self, route: Route, call: Call, path: str) -> Reply:
        with self.hub.lock:
            _authorise(route, call)
            if call.method != "GET" and route.saves and not route.signed_by_app:  # GraphQL counts its mutations itself
                limits.check_content(self.hub, call.login)
            result = route.handler(call)
            if isinstance(result, Page):
                result = _cut(result, call, path)
            if call.method != "GET" and route.saves:
                call.hub.save()
            return result


def perform(call: Call, method: str, path: str, body: Any) -> Reply:
    """A call that another call makes, as the same caller; the lock is held already. Raises ApiError."""
    found = _match(method, path)
    if found is None:
        raise not_found()
    route, params = found
    inner = Call(call.hub, method, params, {}, body, call.token, call.root, call.header, call.web)
    _authorise(route, inner)
    result = route.handler(inner)
    return _cut(result, inner, path) if isinstance(result, Page) else result


def _by_name(hub: Hub, path: str) -> str:
    """/repositories/NUMBER is another address of /repos/OWNER/NAME, the one that redirects lead to."""
    match = re.match(r"^/repositories/(\d+)(/.*)?$", path)
    numbers = {str(one.id): name for name, one in hub.data.repositories.items()}
    return f"/repos/{numbers[match[1]]}{match[2] or ''}" if match and match[1] in numbers else path


def _follow(hub: Hub, method: str, params: dict[str, str], path: str, query: str, root: str) -> None:
    """Raises a redirect for a repository that was renamed or transferred; its new address has its number."""
    if "repo" not in params or (name := f"{params['owner']}/{params['repo']}") in hub.data.repositories:
        return
    found = hub.moved(name)
    if found is not None:
        rest = path.removeprefix(f"/repos/{name}") + (f"?{query}" if query else "")
        raise MovedError(301 if method == "GET" else 307, f"{root}/repositories/{found.id}{rest}")


def _match(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a path and what its parameters are."""
    for pattern, route in TABLE:
        match = pattern.match(path) if route.method == method else None
        if match:
            return route, {name: unquote(value) for name, value in match.groupdict().items()}
    return None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else {}
    except ValueError:
        raise ApiError(400, "Problems parsing JSON") from None


def _authorise(route: Route, call: Call) -> None:
    """404 for a repository that is not there, 403 for what the token or the person may not do."""
    if route.signed_by_app:
        return
    if "repo" in call.params and call.role() == "none":
        raise not_found()
    if call.token is None:
        if call.method != "GET" or "never" in route.needs:
            raise ApiError(401, "Requires authentication")
        return
    granted = call.token.permissions
    if granted is not None and route.needs:
        level = ("write",) if route.required_level() == "write" else ("read", "write")
        if not any(granted.get(name) in level for name in route.needs):
            accepted = "; ".join(f"{name.replace('-', '_')}={level[0]}" for name in route.needs)
            raise ApiError(
                403, "Resource not accessible by integration", headers={"X-Accepted-GitHub-Permissions": accepted}
            )
    if granted is None and "repo" in call.params and not call.at_least(route.role):
        is_admins = route.role == "admin"
        words = "Must have admin rights to Repository." if is_admins else "Must have push access to repository"
        raise ApiError(403, words)
    if "repo" in call.params and call.method != "GET" and call.repo.switches.archived and call.method != "PATCH":
        raise ApiError(403, "Repository was archived so is read-only.")


def _cut(page: Page, call: Call, path: str) -> Reply:
    """One page of a list with GitHub's Link header."""
    size = max(1, min(100, _whole(call.query.get("per_page"), 30)))
    number = max(1, _whole(call.query.get("page"), 1))
    last = max(1, -(-len(page.items) // size))
    shown: Any = [page.shape(item) for item in page.items[(number - 1) * size : number * size]]
    body = shown if page.key is None else {"total_count": len(page.items), **page.extra, page.key: shown}

    def link(target: int, rel: str) -> str:
        return (
            f'<{call.root}{path}?{urlencode(call.query | {"page": str(target), "per_page": str(size)})}>; rel="{rel}"'
        )

    links = [link(number - 1, "prev"), link(1, "first")] if number > 1 else []
    links = [link(number + 1, "next"), link(last, "last"), *links] if number < last else links
    return Reply(body, 200, {"Link": ", ".join(links)} if links else {})


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default


def foreign(host: str, origin: str | None) -> str:
    """Why a request is not one to this server: a name that leads to 127.0.0.1, or a page of another origin."""
    if not _LOCAL.fullmatch(host):
        return "This address is not this site's.\n"
    if origin is not None and urlsplit(origin).netloc != host:
        return "Requests of other sites are refused.\n"
    return ""


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection. Nagle off and one write an answer: otherwise each call waits 40 ms for a delayed ACK."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    server: Server
    without_body = False

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            self._write(413, {}, b"")
            return
        path = urlsplit(self.path).path
        if refused := foreign(self.headers.get("Host", ""), self.headers.get("Origin")):
            self._write(403, {"Content-Type": "text/plain"}, refused.encode())
        elif path.startswith(downloads.PATH):
            reply = self.server.api.hub.downloads.answer(path)
            self._write(reply.status, reply.headers, reply.body)
        elif smart_http.is_git(path):
            smart_http.serve(self, self.server.api, body)
        elif not self._page(path, body):
            given = {name.lower(): value for name, value in self.headers.items()}
            header, web = self.headers["Authorization"], self.server.url
            reply, token = self.server.api.answer(self.command, self.path, header, body, headers=given, web=web)
            headers = limits.headers_of(self.server.api.hub.limits(token)) | reply.headers
            if reply.broken:
                self.break_off(reply.broken)
            elif reply.body is None or isinstance(reply.body, bytes):
                self._write(reply.status, headers, reply.body or b"")
            else:
                content = {"Content-Type": "application/json; charset=utf-8"}
                self._write(reply.status, content | headers, json.dumps(reply.body).encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815, the standard library's names

    def do_HEAD(self) -> None:
        self.command, self.without_body = "GET", True
        self._serve()

    def _page(self, path: str, body: bytes) -> bool:
        pages = self.server.api.pages
        query = dict(parse_qsl(urlsplit(self.path).query))
        is_form = self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
        form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True)) if is_form else {}
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = pages(Request(self.command, unquote(path), query, form, headers)) if pages else None
        if reply is None:
            return False
        content = {"Content-Type": "text/html; charset=utf-8"}
        self._write(reply.status, content | reply.headers, str(reply.body or "").encode())
        return True

    def _body(self) -> bytes | None:
        """The request's body, also when it comes in chunks (git does that above 1 MB); None when it is too large."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunks()
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if length <= MAX_REQUEST_BYTES else None

    def _chunks(self) -> bytes | None:
        parts, total = [], 0
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            total += size
            if total > MAX_REQUEST_BYTES:
                return None
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def break_off(self, how: str) -> None:
        """End the connection without an answer, at once or when the client has waited long enough."""
        if how == "hang":
            self.connection.settimeout(MAX_HANG_S)
            with contextlib.suppress(OSError):
                self.connection.recv(1)  # the client hangs up
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _write(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not self.without_body:
            self.wfile.write(body)
        self.without_body = False
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Silence: `Api.log` keeps the requests."""


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Listens on this machine only; port 0 takes a free one. With a `context` it speaks TLS."""

    daemon_threads = True
    request_queue_size = 64
    address_family = 2  # IPv4

    def __init__(self, api: Api, port: int = 0, host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> None:
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            hint = "Name another port, or 0 for a free one."
            raise UserError(f"port {port} cannot be used: {error.strerror}", hint=hint, code="port_taken") from None
        self.api = api
        self.is_tls = context is not None
        if context is None:
            api.hub.url = self.url
        else:  # each connection shakes hands in its own thread, not in the one that accepts them
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    @classmethod
    def over_tls(cls, api: Api, directory: Path) -> Server:
        """A started server whose certificates are in `directory/tls`, at the best address that can be had."""
        host, port = next(place for place in tls.addresses(directory) if tls.can_listen(*place))
        server = cls(api, port, host, tls.context(directory / "tls", host))
        server.start()
        return server

    @property
    def url(self) -> str:
        """Without the port where that is TLS's own."""
        host, port = str(self.server_address[0]), int(self.server_address[1])
        return f"https://{host}{'' if port == tls.PORT else f':{port}'}" if self.is_tls else f"http://{host}:{port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self.api.gate.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no event."""
