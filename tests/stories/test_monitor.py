"""The outer loop, closed: a deployed model meets another world, and an approved pull request brings it back."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bot.adapters.signing import generate
from bot.sandbox.world import Sandbox
from bot.specs.pointer import write_pointer
from tests.stories.world import ROOT, approve_by_review, bot_said, evaluation_id, live, merge, say, verdict

pytestmark = [pytest.mark.engine, pytest.mark.slow]

MODEL = b"""task: binary
owner: owen
description: Will they come?
data: {path: data/rows.parquet, target: comes, row_id: id, time: seen, where: 'seen >= "2026-06-01"'}
features: {numeric: [warm, far], categorical: [day]}
estimator: LogisticRegression
metrics: {primary: log_loss, also: [accuracy]}
environments: [staging]
resources: {jobs: 1}
"""
GATES = b"""version: 1
gates:
  - {id: worth_it, kind: superiority, metric: primary, against: dummy}
"""


def rows(n: int, seed: int, *, new_world: bool) -> dict[str, Any]:
    """Who comes: those who have it warm and near. In the new world all are far, and come all the same."""
    rng = np.random.default_rng(seed)
    warm, far = rng.normal(size=n), rng.normal(size=n) + (4 if new_world else 0)
    logit = 3 * warm - 2 * far + (8 if new_world else 0)
    comes = rng.random(n) < 1 / (1 + np.exp(-logit))
    day = rng.choice(["week", "weekend"], n)
    return {"warm": warm, "far": far, "day": day.tolist(), "comes": ["yes" if one else "no" for one in comes]}


def training_data() -> bytes:
    """Rows of last June, as Parquet."""
    made = rows(1200, 1, new_world=False)
    seen = [datetime(2026, 6, 1) + timedelta(minutes=number) for number in range(1200)]
    out = io.BytesIO()
    pq.write_table(pa.table({"id": [f"june-{number}" for number in range(1200)], "seen": seen, **made}), out)
    return out.getvalue()


def tracked(data: bytes, remote: Path) -> bytes:
    """`data.dvc` of one file, whose objects are in the remote, as `dvc add` and `dvc push` leave them."""
    md5 = hashlib.md5(data).hexdigest()
    listing = json.dumps([{"md5": md5, "relpath": "rows.parquet"}]).encode()
    oid = hashlib.md5(listing).hexdigest() + ".dir"
    for name, content in ((md5, data), (oid, listing)):
        at = remote / "files/md5" / name[:2] / name[2:]
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(content)
    return write_pointer(oid, len(data), 1, "data").encode()


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Sandbox]:
    """A team with one model, whose staging is watched; log and labels lie in `folder`."""
    private, public = generate()
    environments = f"""apiVersion: policy/v1
kind: Environments
environments:
  staging:
    auto_promote: merge
    promoters: [model-owner, release-manager]
    monitor:
      predictions: {folder}/log/{{model}}
      labels: {folder}/labels
      on_alarm: [issue, retraining_pull_request]
      least_rows: 0
  production: {{promote_from: [staging], promoters: [release-manager]}}
""".encode()
    others = [path.relative_to(ROOT).as_posix() for path in (ROOT / "models").rglob("*") if path.is_file()]
    with Sandbox.start(
        folder / "world",
        template=ROOT,
        extra_files={
            **dict.fromkeys(others),
            "policies/keys/mlbot.pub": public,
            "policies/environments.yaml": environments,
            "policies/gates.yaml": GATES,
            "data.dvc": tracked(training_data(), folder / "world/remote"),
        },
        secrets={"mlbot": {"MLBOT_SIGNING_KEY": private.decode()}},
    ) as sandbox:
        with sandbox.hub.lock:  # Settings, Actions, General: "Allow GitHub Actions to create and approve pull requests"
            sandbox.repo.runs_approve = True
        yield sandbox


@contextlib.contextmanager
def serving(sandbox: Sandbox, log: Path) -> Iterator[str]:
    """`mlbot serve` as a process; the log is whole when it has ended."""
    program = Path(sys.executable).with_name("mlbot")
    line = [str(program), "serve", "--environment", "staging", "--port", "0", "--log", str(log)]
    with subprocess.Popen(line, cwd=sandbox.clone, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stdout is not None
        try:
            said = next(line for line in process.stdout if "Serving" in line)
            found = re.search(r"http://\S+", said)
            assert found is not None
            yield found.group(0)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def ask(sandbox: Sandbox, folder: Path, name: str, n: int, seed: int) -> tuple[str, float]:
    """Ask about n rows of the new world, and note later what happened: (version, share of right answers)."""
    table = rows(n, seed, new_world=True)
    kinds = {"warm": "FP64", "far": "FP64", "day": "BYTES"}
    tensors = [
        {"name": column, "shape": [n], "datatype": kind, "data": list(table[column])} for column, kind in kinds.items()
    ]
    body = json.dumps({"id": name, "inputs": tensors}).encode()
    with serving(sandbox, folder / "log") as url:
        request = urllib.request.Request(f"{url}/v2/models/visits/infer", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = json.load(answer)
    said = next(one["data"] for one in told["outputs"] if one["name"] == "predict")
    (folder / "labels").mkdir(exist_ok=True)
    with (folder / "labels" / f"{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["_request_id", "_row", "comes"])
        request_id = told["parameters"]["request_id"]
        writer.writerows([request_id, number, outcome] for number, outcome in enumerate(table["comes"]))
    return told["model_version"], float(np.mean([one == two for one, two in zip(said, table["comes"], strict=True)]))


def looked(sandbox: Sandbox, folder: Path) -> dict[str, Any]:
    """`mlbot monitor` as a person runs it in a clone: the Health record; its page lies beside."""
    program = str(Path(sys.executable).with_name("mlbot"))
    line = [program, "monitor", "visits", "--environment", "staging", "--json", "--page", str(folder / "health.html")]
    sandbox.git("dana", "pull", "-q", cwd=sandbox.clone)
    done = subprocess.run(line, cwd=sandbox.clone, capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    assert "visits" in (folder / "health.html").read_text()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_model_that_drifts_is_brought_back_by_a_pull_request_that_people_approve(tmp_path: Path) -> None:
    """Serve, drift, issue and retraining pull request, evaluation, approvals, merge, promotion, recovery, closing."""
    with started(tmp_path) as sandbox:
        first = sandbox.propose("dana", "visits", {"models/visits/model.yaml": MODEL}, "Who visits us?")
        sandbox.settle()
        approved_and_merged(sandbox, first, "dana")
        assert live(sandbox) == ["staging/visits/release.json"]

        version, right = ask(sandbox, tmp_path, "monday", 800, 7)
        assert version == "v1.0.0" and right < 0.7, "the new world is not what it was trained on"

        seen = looked(sandbox, tmp_path)
        assert (seen["status"], seen["causes"], seen["labels"]["labelled"]) == ("alarm", ["performance", "drift"], 800)

        sandbox.schedule("monitor.yml")
        runs = sandbox.settle()
        assert {run.file: run.conclusion for run in runs} == {"monitor.yml": "success", "pull-request.yml": "success"}
        issues, pulls = opened(sandbox)
        assert [one.title for one in issues] == [
            "visits in staging: it does worse than on its test rows",
            "visits in staging: what it is asked has changed",
        ]
        (pull,) = pulls
        assert pull.title == "Retrain visits on 800 new rows" and pull.user.type == "Bot"
        assert [one.author.id for one in pull.get_commits()] == [pull.user.id]
        changed = {one.filename: one.patch for one in pull.get_files()}
        assert set(changed) == {"data.dvc", "models/visits/model.yaml"}
        assert "+data: {path: data/rows.parquet" in changed["models/visits/model.yaml"]
        report = re.sub(r"<[^>]+>", "", bot_said(sandbox, pull.number)[0])
        assert "Retrain or keep" in report and "retrain is better" in report
        assert verdict(sandbox, pull.number) == "pending", "a retrained model needs the same approvals"

        approved_and_merged(sandbox, pull.number, "rhea")
        version, right = ask(sandbox, tmp_path, "tuesday", 800, 8)
        assert version == "v1.1.0" and right > 0.8, "served predictions recover"

        sandbox.schedule("monitor.yml")
        sandbox.settle()
        assert opened(sandbox) == ([], [])
        assert "The cause is gone: v1.1.0" in bot_said(sandbox, issues[0].number)[-1]


def approved_and_merged(sandbox: Sandbox, number: int, by: str) -> None:
    """Two people's word, as the policy asks, and the merge."""
    approve_by_review(sandbox, "owen", number)
    assert verdict(sandbox, number) == "pending"
    say(sandbox, "vera", number, f"/approve {evaluation_id(sandbox, number)}")
    assert verdict(sandbox, number) == "success"
    merge(sandbox, by, number)


def opened(sandbox: Sandbox) -> tuple[list[Any], list[Any]]:
    """The bot's open issues and pull requests, oldest first."""
    repository = sandbox.github("dana").get_repo(sandbox.repository)
    found = sorted(repository.get_issues(state="open"), key=lambda one: one.number)
    pulls = [repository.get_pull(one.number) for one in found if one.pull_request is not None]
    return [one for one in found if one.pull_request is None], pulls
