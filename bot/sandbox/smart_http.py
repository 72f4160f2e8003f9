"""Git's smart HTTP protocol, answered by git's own `http-backend`; a push is announced when it is done."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.sandbox import events
from bot.sandbox.http import ApiError
from bot.sandbox.people import RANKS
from bot.sandbox.rulesets import actor_of

if TYPE_CHECKING:
    from bot.sandbox.faults import Fault
    from bot.sandbox.server import Api
    from bot.sandbox.store import Repository, Token

_GIT = re.compile(r"^/([^/]+)/([^/]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack|HEAD|objects/.+)$")


def is_git(path: str) -> bool:
    """Whether a path belongs to git's protocol and not to the API."""
    return bool(_GIT.match(path)) and not path.startswith(("/repos/", "/api/"))


def serve(handler: Any, api: Api, body: bytes) -> None:
    """Answer one request of a git client on `handler`'s connection."""
    parts = urlsplit(handler.path)
    match = _GIT.match(parts.path)
    assert match is not None
    owner, name, service = match.groups()
    writes = service == "git-receive-pack" or "service=git-receive-pack" in parts.query
    try:
        repository = api.hub.repository(f"{owner}/{name}")
        token = api.token(handler.headers["Authorization"])
        _may_read(api, repository, token)
        if writes:
            _may_push(api, repository, token)
        environ = _environ(handler, parts.query, service, api.hub.bare(repository).path, token, len(body))
        fault = api.faults.take(handler.command, parts.path)
        declined = fault.message if fault is not None and fault.how == "declined" else ""
        if fault is not None and fault.how != "declined" and fault.when == "before":
            _fail(handler, fault)
            return
        if service != "git-receive-pack":
            _answer(handler, _backend(environ, body))
            return
        assert token is not None
        actor = actor_of(api.hub, repository, token)
        with api.hub.lock, api.gate.push(repository, actor, declined) as door:
            before = api.hub.bare(repository).refs()
            output = _backend(environ | door | _config("receive.procReceiveRefs", "refs/"), body)
            events.refs_moved(api.hub, repository, before, token.login, token.run is not None)
            api.hub.save()
        if fault is not None and fault.when == "after":
            _fail(handler, fault)
        else:
            _answer(handler, output)
    except ApiError as error:
        _refuse(handler, error)


def _fail(handler: Any, fault: Fault) -> None:
    if fault.reply.broken:
        handler.break_off(fault.reply.broken)
    else:
        _refuse(handler, fault.error)


def _may_read(api: Api, repository: Repository, token: Token | None) -> None:
    if token is None and (repository.private or api.reads_need_token):
        raise ApiError(401, "Authentication required")
    if token is not None and token.permissions is None and api.hub.permission(repository, token.login) == "none":
        raise ApiError(404, "Repository not found.")


def _may_push(api: Api, repository: Any, token: Token | None) -> None:
    if token is None:
        raise ApiError(401, "Authentication required")
    if token.permissions is not None:
        allowed = token.permissions.get("contents") == "write"
    else:
        allowed = RANKS.index(api.hub.permission(repository, token.login)) >= RANKS.index("write")
    if not allowed:
        raise ApiError(403, f"Permission to {repository.full_name}.git denied to {token.login}.")
    if repository.switches.archived:
        raise ApiError(403, "This repository was archived so it is read-only.")


def _environ(handler: Any, query: str, service: str, path: Any, token: Token | None, length: int) -> dict[str, str]:
    headers = handler.headers
    found = {
        "PATH": os.environ.get("PATH", ""),
        "GIT_PROJECT_ROOT": str(path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{service}",
        "QUERY_STRING": query,
        "REQUEST_METHOD": handler.command,
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(length),
        "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    return found | _config() | ({"REMOTE_USER": token.login} if token else {})


def _config(*pairs: str) -> dict[str, str]:
    """Git settings for one call: names and values by turns, besides what every call here needs."""
    settings = [("safe.directory", "*"), *zip(pairs[::2], pairs[1::2], strict=True)]
    named = {f"GIT_CONFIG_KEY_{place}": key for place, (key, _) in enumerate(settings)}
    return (
        named
        | {f"GIT_CONFIG_VALUE_{place}": value for place, (_, value) in enumerate(settings)}
        | {"GIT_CONFIG_COUNT": str(len(settings))}
    )


def _backend(environ: dict[str, str], body: bytes) -> bytes:
    done = subprocess.run(["git", "http-backend"], env=environ, input=body, capture_output=True, check=False)
    if done.returncode:
        raise ApiError(500, done.stderr.decode(errors="replace") or "git http-backend failed")
    return done.stdout


def _answer(handler: Any, output: bytes) -> None:
    head, _, body = output.partition(b"\r\n\r\n")
    status, headers = 200, {}
    for line in head.decode().split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name] = value
    handler._write(status, headers, body)


def _refuse(handler: Any, error: ApiError) -> None:
    ask = {"WWW-Authenticate": 'Basic realm="GitHub"'} if error.status == 401 else {}
    handler._write(error.status, {"Content-Type": "text/plain"} | ask, f"{error}\n".encode())  # git says "remote: "
