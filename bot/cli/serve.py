"""`mlbot serve`: answer what the environments branch says, and follow it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
import traceback
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.errors import MlbotError, UserError, WorldError

if TYPE_CHECKING:
    from bot.ports import Ports
    from bot.records.release import Release
    from bot.serve.serving import Serving
    from bot.serve.step import Follower

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command(name="serve")
@click.option("--environment", required=True, help="The environment to serve, such as production.")
@click.option("--repo", default=".", type=click.Path(path_type=Path), help="A clone of the repository.")
@click.option("--url", help="Clone the repository from here instead (what a container does).")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8080,
    type=click.IntRange(0, 65535),
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--model", "models", multiple=True, help="Serve only this model; may be repeated.")
@click.option("--pin", metavar="DIGEST", help="Serve only this artifact digest, never another.")
@click.option("--runtime", type=click.Choice(["auto", "onnx", "skops"]), default="auto", show_default=True)
@click.option(
    "--verify",
    "verify_chain",
    is_flag=True,
    help="Serve only what `mlbot verify` finds unbroken, also where the policy does not ask for it.",
)
@click.option(
    "--poll",
    default=5.0,
    type=click.FloatRange(0.1),
    show_default=True,
    help="Seconds between two looks at the branch.",
)
@click.option("--cache", type=click.Path(path_type=Path), help="Folder for artifacts; a temporary one by default.")
@click.option("--directory", type=click.Path(path_type=Path), help="Keep links DIR/MODEL to verified files; no server.")
@click.option("--follow", is_flag=True, help="With --directory: go on, as the branch moves.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Ask callers for the token in this file.")
@click.option("--log", "log_folder", type=click.Path(path_type=Path), help="Keep requests as Parquet in this folder.")
@click.option("--log-sample", default=1.0, type=click.FloatRange(0, 1), show_default=True, help="Share to keep.")
@click.option("--log-max-mb", default=1024, type=click.IntRange(1), show_default=True, help="The folder's size.")
@click.option("--max-body-mb", default=16, type=click.IntRange(1), show_default=True, help="Largest request.")
@click.option("--max-rows", default=100_000, type=click.IntRange(1), show_default=True, help="Rows in one request.")
@click.option("--max-concurrency", default=64, type=click.IntRange(1), show_default=True, help="Requests at once.")
@click.option("--insecure-no-token", is_flag=True, help="Listen beyond this machine without a token.")
def command(environment: str, repo: Path, host: str, port: int, **options: Any) -> int:
    """Serve the models of an environment by the Open Inference Protocol v2, and follow promotions and rollbacks.

    GET /v2/models lists what answers; POST /v2/models/NAME/infer predicts; /metrics is for Prometheus. The old model
    keeps answering when a new one cannot be verified.
    """
    from bot.adapters.absent import absent_at_once
    from bot.serve.serving import Limits, Serving

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one request, one core: threads would fight over them
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    token = _token(options["token_file"], os.environ.get("MLBOT_SERVE_TOKEN"))
    if host not in LOOPBACK and token is None and not options["insecure_no_token"]:
        raise UserError(
            f"{host} can be reached from other machines, and no token is asked for",
            hint="Pass --token-file FILE, or --insecure-no-token when something in front of it checks callers.",
        )
    limits = Limits(
        body_bytes=options["max_body_mb"] * 1024 * 1024,
        rows=options["max_rows"],
        concurrency=options["max_concurrency"],
    )
    serving = Serving(
        monotonic=time.monotonic, limits=limits, failed=_failed,
        token_digest=None if token is None else hashlib.sha256(token.encode()).hexdigest(),
        hosts=frozenset((*LOOPBACK, "[::1]")) if host in LOOPBACK and token is None else None,
    )  # fmt: skip
    with contextlib.ExitStack() as stack:
        _keep_requests(serving, options, stack)
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="mlbot-serve-"))
        if options["url"]:
            repo = _cloned(options["url"], Path(temporary, "clone"))
        if options["directory"]:
            store = options["directory"] / ".artifacts"
            return _keep_links(_follower(environment, repo, store, options), serving, options)
        follower = _follower(environment, repo, options["cache"] or Path(temporary), options)
        listening = _listen(host, port)
        for sentence in follower.refresh(serving):
            click.echo(sentence)
        for model, problem in sorted(serving.problems.items()):
            click.echo(f"{model}: {problem}")
        if not serving.engines:
            click.echo(f"Nothing can be served in {environment} yet; what is promoted there will be.")
        address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        click.echo(f"Serving {environment} on {address} (Ctrl-C stops)")
        absent_at_once("pandas")
        _run(serving, follower, listening, options["poll"])
    return 0


def _failed(error: Exception) -> None:
    """Where a pipeline failed, for the operator; the request's values are not repeated."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    where = " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in reversed(frames))
    click.echo(f"a model failed on a request: {type(error).__name__} at {where}", err=True)


def _keep_requests(serving: Serving, options: dict[str, Any], stack: contextlib.ExitStack) -> None:
    """Log requests to `--log`; the last ones are written when the server stops."""
    from bot.adapters.parquet_log import ParquetLog
    from bot.serve.logged import logger

    if options["log_folder"] is None:
        return
    log = ParquetLog(options["log_folder"], max_bytes=options["log_max_mb"] * 1024 * 1024)
    stack.callback(log.close)
    serving.log = logger(
        log.put,
        sample=options["log_sample"],
        random=random.random,
        now_us=lambda: time.time_ns() // 1000,
        new_id=lambda: uuid.uuid4().hex,
    )
    serving.dropped = lambda: log.dropped + log.failed


def _unbroken(environment: str, ports: Ports, *, is_asked: bool, is_live: bool) -> Callable[[Release], None]:
    """Raises UserError (code `chain_broken`) naming the first broken link, when it is asked or the policy wants it.

    The policy is read again for every release. One that cannot be read counts as one that wants it.
    """
    from bot.cli.clone import environments_policy
    from bot.promote.evidence import verify

    def is_wanted() -> bool:
        try:
            policy = environments_policy(ports).get(environment)
        except UserError:
            return True
        return policy is not None and policy.verify_before_serving

    def check(release: Release) -> None:
        if not (is_asked or is_wanted()):
            return
        for link in verify(release, ports, is_live=is_live):
            if link.ok is False:
                raise UserError(f"the chain is broken at {link.name}: {link.sentence}", code="chain_broken")

    return check


def _sensitive(ports: Ports) -> Callable[[Release], frozenset[str]]:
    """Columns that the release's own schema marks as sensitive; all of them when it cannot be read."""
    from bot.serve.step import training_of
    from bot.specs.contract import read_contract

    def hidden(release: Release) -> frozenset[str]:
        path = f"models/{release.model}/schema.yaml"
        try:
            schema = ports.git.read(release.commit, path)
            return frozenset() if schema is None else read_contract(schema, path).sensitive
        except MlbotError:
            return frozenset(training_of(release, ports).inputs)

    return hidden


def _follower(environment: str, repo: Path, cache: Path, options: dict[str, Any]) -> Follower:
    from bot.adapters.predictor import load
    from bot.cli.clone import clone_ports, known_environment
    from bot.serve.step import Follower

    ports = clone_ports(repo, fetch=False)
    known_environment(environment, ports)
    return Follower(
        environment=environment,
        ports=ports,
        sensitive=_sensitive(ports),
        check=_unbroken(environment, ports, is_asked=options["verify_chain"], is_live=options["pin"] is None),
        load=lambda folder, training, kind: load(folder, training, prefer="onnx" if kind == "onnx" else "skops"),
        cache=cache,
        models=options["models"],
        pin=options["pin"],
        runtime=options["runtime"],
    )


def _cloned(url: str, into: Path) -> Path:
    """A clone with its history, so that the schema of any release's commit can be read."""
    command = ["git", "clone", "--quiet", "--no-tags", "--", url, str(into)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise WorldError(f"cannot clone {url}: {last}", hint="Check the address and the credentials that git finds.")
    return into


def _keep_links(follower: Follower, serving: Serving, options: dict[str, Any]) -> int:
    """The `directory` target: what would be served, as links; a release that does not verify moves no link."""
    from bot.adapters.links import point

    while True:
        for sentence in follower.refresh(serving):
            click.echo(sentence)
        live = {name: follower.folder(one.release) for name, one in serving.engines.items()}
        point(options["directory"], live, keep=serving.expected)
        if not options["follow"]:
            if serving.problems:
                raise UserError("; ".join(f"{name}: {text}" for name, text in sorted(serving.problems.items())))
            return 0
        time.sleep(options["poll"])


def _token(file: Path | None, variable: str | None) -> str | None:
    if file is None:
        return variable or None
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None
    if not text:
        raise UserError(f"{file} is empty")
    return text


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once (TCP_NODELAY) only when the socket says its protocol; else each waits 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)  # from the moment we say where we listen, callers wait instead of being refused
    except OSError as error:
        listening.close()
        raise UserError(f"cannot listen on {host}:{port}: {error.strerror}", hint="Pass another --port.") from None
    return listening


def _run(serving: Serving, follower: Follower, listening: socket.socket, poll_s: float) -> None:
    import uvicorn

    from bot.adapters.patience import PatientProtocol
    from bot.serve.app import build

    async def answer() -> None:
        async with _following(serving, follower, poll_s):
            await server.serve(sockets=[listening])

    config = uvicorn.Config(
        build(serving), access_log=False, log_level="warning", lifespan="off", server_header=False,
        timeout_graceful_shutdown=30, limit_concurrency=None, http=PatientProtocol, ws="none",
    )  # fmt: skip
    server = uvicorn.Server(config)
    for stop in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again after a graceful stop, which is exit 0
        signal.signal(stop, lambda *_: None)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:  # uvloop
        runner.run(answer())


@contextlib.asynccontextmanager
async def _following(serving: Serving, follower: Follower, poll_s: float) -> AsyncIterator[None]:
    task = asyncio.create_task(_follow(serving, follower, poll_s))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _follow(serving: Serving, follower: Follower, poll_s: float) -> None:
    while True:
        await asyncio.sleep(poll_s)
        try:
            said = await asyncio.to_thread(follower.refresh, serving)
        except MlbotError as error:  # what answers keeps answering
            said = [f"cannot look at the environments branch: {error.message}"]
        for sentence in said:
            click.echo(sentence)
