"""`mlbot serve` as a process: real git, real DVC, real sockets."""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from bot.promote.step import rollback
from tests.promote.world import RUTH, RealStore, World, git
from tests.serve.artifacts import an_artifact
from tests.serve.test_app import ROWS

MLBOT = [sys.executable, "-c", "from bot.cli import main; main()"]


def a_world(folder: Path) -> World:
    """A world whose artifacts lie in a real DVC remote, with the server's clone."""
    world = World(folder)
    git(folder, "clone", "-q", "origin.git", "dvc")
    git(folder, "clone", "-q", "origin.git", "server")
    world.artifacts = RealStore(folder / "dvc")  # type: ignore[assignment]
    return world


def release(world: World, artifact: dict[str, Any]) -> Any:
    """Evaluate and promote an artifact to production."""
    return world.let_out(*world.evaluated(artifact["training"], artifact["files"]))


@contextmanager
def server(world: World, *options: str) -> Iterator[tuple[str, subprocess.Popen[str], list[str]]]:
    """(address, process, lines it said) of a running server."""
    process = subprocess.Popen(
        [*MLBOT, "serve", "--environment", "production", "--repo", str(world.root / "server"), "--port", "0", *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line.rstrip())
        if line.startswith("Serving"):
            break
    else:
        raise AssertionError("\n".join(lines))
    reader = threading.Thread(target=lambda: lines.extend(line.rstrip() for line in process.stdout or ()), daemon=True)
    reader.start()
    try:
        yield lines[-1].split(" on ")[1].split(" ")[0], process, lines
    finally:
        process.kill()
        process.wait()


def infer(address: str) -> Any:
    """A prediction."""
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/v2/models/churn/infer", data=json.dumps(ROWS).encode(), headers=kind)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def wait_for(version: str, address: str, seconds: float = 20) -> Any:
    """The first answer of a version."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = infer(address)
        if found["model_version"] == version:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{version} never answered")


@pytest.mark.slow
def test_serve_follows_the_branch_and_stops_gracefully(tmp_path: Path) -> None:
    """It says where it listens, the answer changes with promotion and rollback, and SIGTERM ends it with exit 0."""
    world = a_world(tmp_path)
    release(world, an_artifact())
    with server(world, "--poll", "0.3") as (address, process, lines):
        assert lines[0].startswith("churn v1.0.0 answers (onnx, sha256:")
        first = infer(address)
        assert first["model_version"] == "v1.0.0"
        release(world, an_artifact(shift=0.9))
        second = wait_for("v1.1.0", address)
        assert second["outputs"] != first["outputs"]
        rollback("production", "churn", reason="worse", by=RUTH, ports=world.ports())
        assert wait_for("v1.0.0", address) == first
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


@pytest.mark.slow
def test_an_answer_is_sent_at_once(tmp_path: Path) -> None:
    """No answer on a kept connection waits for the caller to acknowledge its first half (40 ms)."""
    world = a_world(tmp_path)
    release(world, an_artifact())
    with server(world) as (address, _, _), closing(HTTPConnection(address.removeprefix("http://"))) as connection:
        seconds = []
        for _ in range(40):
            began = time.perf_counter()
            connection.request("POST", "/v2/models/churn/infer", json.dumps(ROWS))
            connection.getresponse().read()
            seconds.append(time.perf_counter() - began)
    assert statistics.median(seconds) < 0.03


def test_an_address_beyond_this_machine_needs_a_token(tmp_path: Path) -> None:
    """Listening on all interfaces without a token is refused with the way out."""
    done = subprocess.run(
        [*MLBOT, "serve", "--environment", "production", "--host", "0.0.0.0"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "--token-file" in done.stderr
