"""The same schedules with nothing in memory: processes, git and HTTP, DVC on a folder, training, SIGKILL, a server.

A handler is a process of its own, and dies by SIGKILL; a server follows staging all the time and is asked all the time.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from bot.records.ledger import ENVIRONMENTS, LEDGER
from bot.sandbox.engine import SHIFT
from bot.sandbox.events import ZERO
from bot.sandbox.server import Server
from tests.pipeline.world import a_csv
from tests.reliability.actions import Actions
from tests.reliability.chaos import Armed, SimulatedCrash
from tests.reliability.quick_training import md5_of
from tests.reliability.stage import MODELS, NAME, Flavour, Stage

MLBOT = Path(sys.executable).parent / "mlbot"
ROW = {"inputs": [
    {"name": "age", "shape": [1], "datatype": "FP64", "data": [40.0]},
    {"name": "spend", "shape": [1], "datatype": "FP64", "data": [0.5]},
]}  # fmt: skip
WRITES = ("POST", r"/(comments|statuses|reactions|deployments|merge|dispatches)")


class Folder:
    """DVC's remote as a folder: objects by their MD5."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, oid: str) -> Path:
        return self.root / "files/md5" / oid[:2] / oid[2:]

    def get(self, oid: str, default: bytes | None = None) -> bytes | None:
        return self.path(oid).read_bytes() if self.path(oid).is_file() else default

    def __setitem__(self, oid: str, data: bytes) -> None:
        self.path(oid).parent.mkdir(parents=True, exist_ok=True)
        self.path(oid).write_bytes(data)


class RealActions(Actions):
    """Handlers are processes. What is armed strikes the next one, where the sandbox can play it."""

    stage: RealStage

    def checkout(self, workspace: Path) -> None:
        line = ["git", "clone", "-q", f"{self.hub.url}/{self.name}.git", str(workspace)]
        subprocess.run(line, check=True, capture_output=True)

    def call(self, environment: dict[str, str], workspace: Path, said: io.StringIO) -> int:
        stage, began = self.stage, time.monotonic()
        before = stage.tips()
        ahead = {"SANDBOX_AHEAD_S": str(self.hub.clock.ahead_s), "PYTHONPATH": str(SHIFT)}
        dvc = {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(workspace / ".site")}
        with self._struck() as kill_after_s:
            process = subprocess.Popen(
                [str(MLBOT), "handle", "--repo", str(workspace)], env={**environment, **ahead, **dvc}, cwd=workspace,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
            died = False
            try:
                text, _ = process.communicate(timeout=kill_after_s or 120)
            except subprocess.TimeoutExpired:
                died = True
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                text, _ = process.communicate()
        said.write(text)
        self.hub.clock.advance(seconds=max(1, round(time.monotonic() - began)))
        stage.told_of_pushes(before)
        if died:
            raise SimulatedCrash(f"after {kill_after_s} s")
        return process.returncode

    @contextlib.contextmanager
    def _struck(self) -> Iterator[float | None]:
        """Arms the sandbox; after how many seconds the handler is killed, None when it is not."""
        faults, kill_after_s, undo = self.stage.api.faults, None, []
        for one in [one for one in self.chaos.armed if one.left <= 0][:1]:
            self.chaos.armed.remove(one)
            self.chaos.struck[one.kind] += 1
            self.chaos.hit.append(one.kind)
            rng = one.random()
            if one.kind.startswith("crash"):
                kill_after_s = 0.4 + 2.5 * rng.random()
            elif one.kind.startswith("store"):
                undo.append(self.stage.spoil_remote(one))
            else:
                _arm(faults, one, rng)
        for one in self.chaos.armed:
            one.left -= 1
        try:
            yield kill_after_s
        finally:
            faults.waiting = [one for one in faults.waiting if one.left > 10**5]
            for path, moved in undo:
                shutil.rmtree(path, ignore_errors=True)
                moved.rename(path)


def _arm(faults: Any, one: Armed, rng: random.Random) -> None:
    push = ("POST", "git-receive-pack$")
    table: dict[str, tuple[tuple[str, str], int, dict[str, Any]]] = {
        "api_refused": (("*", r"^/(repos|graphql)"), 500, {"times": 6}),
        "api_busy": (("*", r"^/(repos|graphql)"), 502, {}),
        "api_reset": (("*", r"^/(repos|graphql)"), 0, {"how": "reset"}),
        "api_lost_answer": (WRITES, 502, {"when": "after"}),
        "api_lost_reset": (WRITES, 0, {"when": "after", "how": "reset"}),
        "api_hangs": (WRITES, 0, {"when": "after", "how": "hang"}),
        "api_stale": (("GET", "^/repos"), 0, {"how": "stale"}),
        "push_refused": (push, 0, {"how": "declined", "message": "no"}),
        "push_reset": (push, 0, {"how": "reset", "times": 2}),
        "push_lost_answer": (push, 502, {"when": "after"}),
        "fetch_fails": (("POST", "git-upload-pack$"), 500, {}),
    }
    if one.kind in table:
        (method, path), status, more = table[one.kind]
        faults.add(method, path, status, {}, more.pop("message", None), more.pop("times", 1), **more)


class RealStage(Stage):
    """As Stage, over HTTP on a port, with DVC on a folder. `lost` are requests of the server that had no answer."""

    def __init__(self, folder: Path, flavour: Flavour | None = None) -> None:
        self.objects = Folder(folder / "remote")
        super().__init__(folder, flavour, start=datetime.now(UTC))  # commits carry the machine's time
        self.remote.objects = self.objects  # type: ignore[assignment]
        self.http = Server(self.api, 0)
        self.http.start()
        self.actions = RealActions(self.hub, NAME, folder, self.chaos)
        self.hub.listeners[:] = [self.actions.deliveries.happened]
        self.actions.stage = self
        self.lost: list[str] = []
        self.answered = 0
        self._ended = threading.Event()
        self._serving: subprocess.Popen[str] | None = None

    def _files(self) -> dict[str, bytes]:
        found = super()._files()
        data = {f"{model}.csv": a_csv() for model in MODELS}
        for text in data.values():
            self.objects[md5_of(text)] = text
        self.remote.objects = self.objects  # type: ignore[assignment]
        found["data.dvc"] = self.remote.keep(data, "data").encode()
        found[".dvc/config"] = (
            "[core]\n    remote = folder\n    analytics = false\n"
            f"['remote \"folder\"']\n    url = {self.objects.root}\n"
        ).encode()
        return found

    @contextlib.contextmanager
    def plugged(self) -> Iterator[None]:
        """Nothing is replaced; the server is asked until the end."""
        asking = threading.Thread(target=self._ask, daemon=True)
        asking.start()
        try:
            yield
        finally:
            self._ended.set()
            asking.join(20)
            if self._serving is not None:
                self._serving.kill()
                self._serving.wait()
            self.http.stop()

    # --- what handlers do

    def tips(self) -> dict[str, str]:
        bare = self.hub.bare(self.repo)
        return {branch: bare.branch(branch) or ZERO for branch in (LEDGER, ENVIRONMENTS)}

    def told_of_pushes(self, before: dict[str, str]) -> None:
        """Every commit that a handler brought to the bot's branches, one after another."""
        bare = self.hub.bare(self.repo)
        for branch, tip in self.tips().items():
            line, one = [tip], bare.git.get(tip) if tip != ZERO else None
            while one is not None and line[-1] != before[branch]:
                line.append(str(one.parent_ids[0]) if one.parent_ids else ZERO)
                one = bare.git.get(one.parent_ids[0]) if one.parent_ids else None
            for new, old in list(itertools.pairwise(line))[::-1]:
                for each in self.git.pushed:
                    each(f"refs/heads/{branch}", old, new)

    def spoil_remote(self, one: Armed) -> tuple[Path, Path]:
        """DVC's remote is not there, or holds other bytes; (where it belongs, where it lies meanwhile)."""
        path, moved = self.objects.root, self.folder / "remote.moved"
        path.rename(moved)
        if one.kind == "store_other_bytes":
            shutil.copytree(moved, path)
            for file in path.rglob("*"):
                if file.is_file():
                    file.write_bytes(b"other bytes")
        return path, moved

    # --- who asks the server

    def _ask(self) -> None:
        """From the first release in staging on a server is asked all the time; nothing may go unanswered."""
        while not self._ended.wait(0.2):
            if self.hub.bare(self.repo).branch(ENVIRONMENTS) is not None:
                self._serve_and_ask()

    def _serve_and_ask(self) -> None:
        address = self._address()
        known: set[str] = set()
        with requests.Session() as session:
            while address and not self._ended.wait(0.05):
                for model in MODELS:
                    try:
                        answer = session.post(f"{address}/v2/models/{model}/infer", json=ROW, timeout=10)
                    except requests.RequestException as error:
                        self.lost.append(f"{model}: {type(error).__name__}")
                        continue
                    if answer.status_code == 200:
                        known.add(model)
                        self.answered += 1
                    elif model in known:
                        self.lost.append(f"{model}: {answer.status_code} {answer.text[:80]}")

    def _address(self) -> str:
        clone = self.folder / "serving"
        if not clone.exists():
            line = ["git", "clone", "-q", f"{self.hub.url}/{NAME}.git", str(clone)]
            subprocess.run(line, check=True, capture_output=True)
        line = [str(MLBOT), "serve", "--environment", "staging", "--repo", str(clone), "--port", "0", "--poll", "0.3"]
        self._serving = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self._serving.stdout is not None
        for text in self._serving.stdout:
            if text.startswith("Serving "):
                threading.Thread(target=self._serving.stdout.read, daemon=True).start()
                return text.split(" on ")[1].split(" ")[0]
        return ""
