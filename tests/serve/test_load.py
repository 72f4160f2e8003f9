"""No request is lost while models are switched under load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.promote.step import rollback
from tests.promote.world import RUTH
from tests.serve.artifacts import an_artifact
from tests.serve.test_app import ROWS
from tests.serve.test_cli import a_world, infer, release, server

# The full rehearsal: MLBOT_LOAD_S=1800 and a switch every ten seconds.
SECONDS = float(os.environ.get("MLBOT_LOAD_S", "6"))
GENERATOR = Path(__file__).resolve().parents[1] / "benchmarks" / "load.py"


@pytest.mark.slow
@pytest.mark.timeout(SECONDS * 2 + 120)
def test_no_request_is_lost_while_models_are_switched(tmp_path: Path) -> None:
    """Promotions and rollbacks while four connections ask without pause: every request is answered with 200."""
    world = a_world(tmp_path)
    second = an_artifact(shift=0.9)
    release(world, an_artifact())
    release(world, second)
    body = tmp_path / "body.json"
    body.write_text(json.dumps(ROWS))
    with server(world, "--poll", "0.2") as (address, process, lines):
        infer(address)
        port = address.rsplit(":", 1)[1]
        asking = [sys.executable, str(GENERATOR), port, "/v2/models/churn/infer", str(body), "4", str(SECONDS)]
        generator = subprocess.Popen(asking, stdout=subprocess.PIPE, text=True)
        pause = 10.0 if SECONDS > 60 else 1.0
        while generator.poll() is None:
            rollback("production", "churn", reason="drill", by=RUTH, ports=world.ports())
            try:
                generator.wait(timeout=pause)
            except subprocess.TimeoutExpired:
                release(world, second)
        assert generator.stdout is not None
        found = json.load(generator.stdout)
        assert process.poll() is None
    assert (found["statuses"], found["broken"]) == ({}, 0)
    assert found["n"] > 100
    assert len(found["versions"]) >= 2, "the switches happened under the load"
    assert sum("answers" in line for line in lines) >= 3
