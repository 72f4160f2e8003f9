"""Callers of the server: slow, greedy or absurd ones get 4xx or are cut off, and nobody else notices."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import orjson
import pytest

from bot.adapters.patience import PatientProtocol
from bot.serve.admission import read_body
from bot.serve.app import build
from bot.serve.protocol import RequestError
from bot.serve.serving import Limits, Serving
from tests.serve.asgi import Client
from tests.serve.test_app import ROWS

CHURN = "/v2/models/churn/infer"


def empty() -> dict[str, Any]:
    return {"inputs": [{**tensor, "shape": [0], "data": []} for tensor in ROWS["inputs"]]}


ABSURD: dict[str, tuple[dict[str, Any], dict[str, str], int]] = {
    "no rows": (empty(), {}, 400),
    "a length of 5,000 digits": (ROWS, {"Inference-Header-Content-Length": "9" * 5000}, 400),
    "a length in other digits": (ROWS, {"Inference-Header-Content-Length": "\u00b2"}, 400),
    "a negative length": (ROWS, {"Inference-Header-Content-Length": "-1"}, 400),
    "a body length of 5,000 digits": (ROWS, {"Content-Length": "9" * 5000}, 413),
    "an id of 60 kB": ({**ROWS, "id": "x" * 60_000}, {}, 400),
    "an output 4,000 times": ({**ROWS, "outputs": [{"name": "predict_proba"}] * 4000}, {}, 400),
    "a tensor twice": ({"inputs": [*ROWS["inputs"], ROWS["inputs"][0]]}, {}, 400),
    "a name of 60 kB": ({"inputs": [{**ROWS["inputs"][0], "name": "x" * 60_000}]}, {}, 400),
    "a web form": (ROWS, {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "text of a web page": (ROWS, {"Content-Type": "text/plain;charset=UTF-8"}, 415),
    "a compressed body": (ROWS, {"Content-Encoding": "gzip"}, 415),
    "a page of another origin": (ROWS, {"Host": "localhost:8080", "Origin": "https://evil.example"}, 403),
    "a page without an origin": (ROWS, {"Host": "localhost:8080", "Origin": "null"}, 403),
}  # fmt: skip


@pytest.mark.parametrize(("body", "headers", "status"), ABSURD.values(), ids=ABSURD.keys())
def test_an_absurd_request_is_told_so_and_never_fails_the_server(
    client: Client, serving: Serving, body: Any, headers: dict[str, str], status: int
) -> None:
    answer = client.post(CHURN, json=body, headers=headers)
    assert answer.status_code == status and len(answer.content) < 1000
    assert client.post(CHURN, json=ROWS).status_code == 200
    assert (serving.in_flight, serving.held) == (0, 0)


def test_an_answer_has_a_size(serving: Serving) -> None:
    """Refused before anything is computed; without probabilities it fits."""
    serving.limits = Limits(values=4)
    client = Client(build(serving))
    refused = client.post(CHURN, json=ROWS)
    assert refused.status_code == 413 and "fewer" in refused.json()["error"]
    assert client.post(CHURN, json={**ROWS, "outputs": [{"name": "predict"}]}).status_code == 200


@pytest.mark.parametrize("path", [CHURN, "/v2/models", "/metrics", "/v2/health/ready"])
def test_a_name_that_somebody_pointed_here_reaches_nothing(serving: Serving, path: str) -> None:
    """DNS rebinding: a page of evil.example whose address became this machine's is of the same origin."""
    serving.hosts = frozenset(("127.0.0.1", "localhost", "[::1]"))
    client = Client(build(serving))
    ask: Any = client.post if path == CHURN else client.get
    more = {"json": ROWS} if path == CHURN else {}
    for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost@evil.example", ""):
        assert ask(path, headers={"Host": host, "Origin": f"http://{host}"}, **more).status_code == 403, host
    for host in ("127.0.0.1:8080", "localhost", "[::1]:8080"):
        assert ask(path, headers={"Host": host}, **more).status_code == 200, host


def test_what_is_wrong_inside_is_told_to_those_who_may_ask(serving: Serving) -> None:
    serving.problems = {"churn": "the remote s3://secret-bucket does not answer"}
    serving.expected = frozenset(("churn", "lost"))
    serving.token_digest = hashlib.sha256(b"token").hexdigest()
    client = Client(build(serving))
    without = client.get("/v2/health/ready")
    assert (without.status_code, without.json()) == (503, {"ready": False})
    with_token = client.get("/v2/health/ready", headers={"Authorization": "Bearer token"})
    assert "secret-bucket" in with_token.text


@pytest.mark.parametrize("header", ["", "token", "Bearer ", "Bearer token2", "bearer token", "Basic token"])
def test_the_server_knows_only_a_hash_of_the_token(serving: Serving, header: str) -> None:
    serving.token_digest = hashlib.sha256(b"token").hexdigest()
    client = Client(build(serving))
    assert client.post(CHURN, json=ROWS, headers={"Authorization": header}).status_code == 401
    digest = {"Authorization": f"Bearer {serving.token_digest}"}
    assert client.post(CHURN, json=ROWS, headers=digest).status_code == 401, "the hash opens nothing"


class Sender:
    """A caller whose body comes in parts; a number between them is a pause in seconds, and then it never ends."""

    def __init__(self, *parts: bytes | float) -> None:
        self.parts = list(parts)

    async def __call__(self) -> dict[str, Any]:
        while self.parts and isinstance(self.parts[0], float):
            await asyncio.sleep(self.parts.pop(0))  # type: ignore[arg-type]
        if not self.parts:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": self.parts.pop(0), "more_body": True}


def test_a_body_that_does_not_come_is_given_up(serving: Serving) -> None:
    serving.limits = Limits(body_s=0.05)
    with pytest.raises(RequestError) as caught:
        asyncio.run(read_body(Sender(b"{"), None, serving))
    assert caught.value.status == 408


def test_a_body_by_drops_is_given_up_too(serving: Serving) -> None:
    """Each byte gains a millionth of a second, not another time-out."""
    serving.limits = Limits(body_s=0.1)
    drops = [part for _ in range(100) for part in (b"x", 0.02)]
    with pytest.raises(RequestError) as caught:
        asyncio.run(asyncio.wait_for(read_body(Sender(*drops), None, serving), 1))
    assert caught.value.status == 408


def test_callers_who_send_nothing_keep_nobody_out(serving: Serving) -> None:
    """A hundred bodies on their way do not count as requests at work, also when all but one may be."""
    serving.limits = Limits(concurrency=1, body_s=5)

    async def both() -> int:
        slow = [asyncio.create_task(read_body(Sender(b"{"), None, serving)) for _ in range(100)]
        await asyncio.sleep(0)
        answer = await Client(build(serving))._call("POST", CHURN, orjson.dumps(ROWS), {})
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return answer.status_code

    assert asyncio.run(both()) == 200


def test_large_bodies_together_take_only_so_much_and_small_ones_still_come(serving: Serving) -> None:
    serving.limits = Limits(held_bytes=300_000, body_s=5)

    async def both() -> tuple[int, int, int]:
        holding = [asyncio.create_task(read_body(Sender(b"x" * 140_000), None, serving)) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(RequestError) as caught:
            await read_body(Sender(b"x" * 140_000), None, serving)
        answer = await Client(build(serving))._call("POST", CHURN, orjson.dumps(ROWS), {})
        for task in holding:
            task.cancel()
        await asyncio.gather(*holding, return_exceptions=True)
        return caught.value.status, answer.status_code, serving.held

    assert asyncio.run(both()) == (503, 200, 0)


@pytest.fixture
def address(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a test's coroutine against a real server with little patience; it is given the port."""
    import uvicorn

    from bot.adapters import patience

    monkeypatch.setattr(patience, "HEAD_S", 0.3)
    monkeypatch.setattr(patience, "MOST_WAITING", 20)
    PatientProtocol.waiting.clear()

    def run(test: Any) -> Any:
        async def all_of_it() -> Any:
            config = uvicorn.Config(
                build(serving), port=0, log_level="critical", lifespan="off", http=PatientProtocol, ws="none"
            )
            server = uvicorn.Server(config)
            server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
            task = asyncio.create_task(server.serve())
            while not server.started:
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            try:
                return await asyncio.wait_for(test(port), 20)
            finally:
                server.should_exit = True
                await task

        return asyncio.run(all_of_it())

    return run


async def asked(port: int) -> bytes:
    """The first line of the answer to an honest request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = orjson.dumps(ROWS)
    start = b"POST %s HTTP/1.1\r\nHost: x\r\n" % CHURN.encode()
    writer.write(start + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    line = await reader.readline()
    writer.close()
    return line.strip()


@pytest.mark.parametrize("sent", [b"", b"P", b"POST / HTTP/1.1\r\nHost: x\r\nX-A: "], ids=["nothing", "a byte", "half"])
def test_a_head_that_does_not_come_is_cut_off(address: Any, sent: bytes) -> None:
    async def test(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""

    assert address(test) == b""


def test_a_head_without_end_is_refused(address: Any) -> None:
    async def test(port: int) -> bool:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nX-A: ")
        try:
            for _ in range(2000):
                writer.write(b"x" * 65_536)
                await writer.drain()
        except ConnectionError:
            return True
        return False

    assert address(test)


def test_many_who_only_connect_keep_nobody_out(address: Any) -> None:
    async def test(port: int) -> bytes:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(60)]
        try:
            return await asked(port)
        finally:
            for _, writer in idle:
                writer.close()

    assert address(test).endswith(b"200 OK")
    assert len(PatientProtocol.waiting) <= 20
