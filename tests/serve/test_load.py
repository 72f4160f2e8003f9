"""Switches under load lose no request; neither memory nor the disk of the log grows without bound."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from bot.promote.step import rollback
from tests.promote.world import RUTH
from tests.serve.artifacts import an_artifact
from tests.serve.test_app import ROWS
from tests.serve.test_cli import a_world, infer, release, server

# The full rehearsal: MLBOT_LOAD_S=1800 and a switch every ten seconds; MLBOT_LOAD_CONNECTIONS when others share the
# machine; `pytest -s` shows the figures.
SECONDS = float(os.environ.get("MLBOT_LOAD_S", "6"))
CONNECTIONS = os.environ.get("MLBOT_LOAD_CONNECTIONS", "4")
LOG_MB = 2
GENERATOR = Path(__file__).resolve().parents[1] / "benchmarks" / "load.py"


@pytest.mark.slow
@pytest.mark.timeout(SECONDS * 2 + 120)
def test_no_request_is_lost_while_models_are_switched(tmp_path: Path) -> None:
    """Promotions and rollbacks while connections ask without pause: every request is answered with 200 and logged.

    What the process holds stays where it was after a quarter of the time, and the log within its size.
    """
    world = a_world(tmp_path)
    second = an_artifact(shift=0.9)
    release(world, an_artifact())
    release(world, second)
    body, log = tmp_path / "body.json", tmp_path / "log"
    body.write_text(json.dumps(ROWS))
    with server(world, "--poll", "0.2", "--log", str(log), "--log-max-mb", str(LOG_MB)) as (address, process, lines):
        infer(address)
        generator = asking(address, body)
        pause = 10.0 if SECONDS > 60 else 1.0
        held_mb, logged_mb = [], []
        while generator.poll() is None:
            rollback("production", "churn", reason="drill", by=RUTH, ports=world.ports())
            try:
                generator.wait(timeout=pause)
            except subprocess.TimeoutExpired:
                release(world, second)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    generator.wait(timeout=pause)
            held_mb.append(resident_mb(process.pid))
            logged_mb.append(size_mb(log))
        assert generator.stdout is not None
        found = json.load(generator.stdout)
        dropped = dropped_rows(address)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    switches = sum("answers" in line for line in lines) - 1
    print(json.dumps({**found, "switches": switches, "held_mb": held_mb, "logged_mb": logged_mb, "dropped": dropped}))
    assert (found["statuses"], found["broken"], dropped) == ({}, 0, 0)
    assert found["n"] > 100
    assert len(found["versions"]) >= 2, "the switches happened under the load"
    assert switches >= 2
    assert held_mb[-1] < 1.25 * held_mb[len(held_mb) // 4]
    assert max(*logged_mb, size_mb(log)) <= LOG_MB and size_mb(log) > 0


def asking(address: str, body: Path) -> subprocess.Popen[str]:
    """The load generator, at work."""
    port = address.rsplit(":", 1)[1]
    words = [str(GENERATOR), port, "/v2/models/churn/infer", str(body), CONNECTIONS, str(SECONDS)]
    return subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True)


def resident_mb(pid: int) -> int:
    """The memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)


def size_mb(folder: Path) -> float:
    """Size of all finished files of the log."""
    total = 0
    for path in folder.rglob("*.parquet"):
        with contextlib.suppress(FileNotFoundError):  # just made room for another
            total += path.stat().st_size
    return round(total / 2**20, 2)


def dropped_rows(address: str) -> int:
    """Requests that were answered and not logged."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=20) as answer:
        page = answer.read().decode()
    return int(page.split("\nmlbot_log_rows_dropped_total ")[1].split()[0])
