"""Served predictions: `mlbot serve` as a process, asked by the Open Inference Protocol, before and after a rollback."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.errors import WorldError
from bot.sandbox.rehearsal.acts import PRODUCTION
from bot.sandbox.rehearsal.scene import MANAGER, MODEL, Scene

START_S, FOLLOW_S, POLL_S = 60.0, 30.0, 0.5
FLIGHTS, ROW = "data/flights/2013-02.parquet", 4321


@dataclass(frozen=True)
class Answer:
    """What the server said about one row; `late` is the probability of a delay."""

    version: str
    digest: str
    predicted: str
    late: float

    def __str__(self) -> str:
        return f"{MODEL} {self.version}: {self.predicted}, late with probability {self.late:.4f}"


def served(scene: Scene, number: int) -> None:
    """Ask production, roll back, ask again: version and answer change."""
    with contextlib.ExitStack() as stack:
        with scene.teller.step("mlbot serve answers a real flight from production (Open Inference Protocol v2)") as say:
            scene.programs.run("dvc", "pull", "--quiet", cwd=scene.sandbox.clone)
            row, text = flight(scene)
            say(text)
            url = stack.enter_context(serving(scene))
            before = ask(url, row)
            _is_live(scene, before)
            say(str(before))
        with scene.teller.step(f"{MANAGER} writes /rollback; the server follows, and the answer changes") as say:
            scene.comment(MANAGER, number, f"/rollback {PRODUCTION} {MODEL} --reason rehearsing the way back")
            scene.ran(scene.settle(), "promote.yml")
            live = scene.evidence.release(PRODUCTION, MODEL)
            scene.must(live is not None and live.action == "rollback", "production was not rolled back")
            after = _until_changed(url, row, before)
            _is_live(scene, after)
            scene.must(after.late != before.late, f"the answer is the same after the rollback: {after.late}")
            say(str(after))


def _is_live(scene: Scene, answer: Answer) -> None:
    live = scene.evidence.release(PRODUCTION, MODEL)
    assert live is not None
    same = (live.version, live.artifact_digest) == (answer.version, answer.digest)
    scene.must(same, f"{answer.version} answers, {live.version} is live in production")


def flight(scene: Scene) -> tuple[dict[str, Any], str]:
    """A row of the data as columns, and in words."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(scene.sandbox.clone / FLIGHTS)
    row = table.slice(ROW % table.num_rows, 1).to_pylist()[0]
    return row, f"{row['carrier']}{row['flight']} from {row['origin']} to {row['dest']}, {row['scheduled']:%Y-%m-%d}"


@contextlib.contextmanager
def serving(scene: Scene) -> Iterator[str]:
    """`mlbot serve` as a container runs it, on a clone of its own, until the end of the block; its address."""
    line = ["mlbot", "serve", "--environment", PRODUCTION, "--url", scene.sandbox.read_url, "--port", "0"]
    line += ["--poll", str(POLL_S)]
    path = scene.directory / "serve.txt"
    environ = {**scene.programs.environ, "PYTHONUNBUFFERED": "1"}
    with path.open("w") as log:
        process = subprocess.Popen(
            line, env=environ, stdout=log, stderr=log, cwd=scene.directory, start_new_session=True
        )
        try:
            yield _address(process, scene)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _address(process: subprocess.Popen[bytes], scene: Scene) -> str:
    path, end = scene.directory / "serve.txt", time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r" on (http://\S+)", path.read_text())
        if found:
            return found.group(1)
        time.sleep(0.05)
    raise WorldError(
        f"mlbot serve did not begin to listen:\n{path.read_text()}", hint=f"See {path}.", code="not_served"
    )


def ask(url: str, row: dict[str, Any]) -> Answer:
    """One request for one row, with the tensors that the model's metadata names."""
    metadata = _call(f"{url}/v2/models/{MODEL}")
    tensors = [
        {"name": one["name"], "datatype": one["datatype"], "shape": [1], "data": [_plain(row[one["name"]])]}
        for one in metadata["inputs"]
    ]
    answer = _call(f"{url}/v2/models/{MODEL}/infer", {"inputs": tensors})
    outputs = {one["name"]: one["data"] for one in answer["outputs"]}
    parameters = metadata["parameters"]
    late = outputs["predict_proba"][parameters["classes"].index("late")]
    return Answer(answer["model_version"], parameters["artifact_digest"], outputs["predict"][0], late)


def _until_changed(url: str, row: dict[str, Any], before: Answer) -> Answer:
    end = time.monotonic() + FOLLOW_S
    while (now := ask(url, row)).digest == before.digest:
        if time.monotonic() > end:
            raise WorldError(f"the server still answers {now.version} after {FOLLOW_S:.0f} s", code="not_followed")
        time.sleep(0.1)
    return now


def _call(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - the same
            answer: dict[str, Any] = json.loads(reply.read())
            return answer
    except urllib.error.HTTPError as error:
        raise WorldError(f"{url}: {error.code} {error.read().decode(errors='replace')}", code="not_answered") from None


def _plain(value: Any) -> Any:
    """As JSON has it; NaN is missing."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.isoformat() if isinstance(value, datetime) else value
