"""The rehearsal's GitHub around next to nothing, for tests of what talks to it; and worlds that are made once."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.world import Sandbox


def small_sandbox(folder: Path, **settings: Any) -> Sandbox:
    """A sandbox in `folder / "world"` whose repository holds `models/a.txt` only; `settings` as of Sandbox.start."""
    models = folder / "template" / "models"
    models.mkdir(parents=True)
    (models / "a.txt").write_text("one\n")
    return Sandbox.start(folder / "world", template=folder / "template", **settings)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder that `make` fills, once a test run, whichever worker asks first. Nobody changes it: see `copied`."""
    root = factory.getbasetemp()
    shared = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "made-once"
    shared.mkdir(exist_ok=True)
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / f"{name}.done").exists():
            shutil.rmtree(shared / name, ignore_errors=True)
            make(shared / name)
            (shared / f"{name}.done").touch()
    return shared / name


def copied(stopped: Path, into: Path) -> Sandbox:
    """A sandbox that goes on in `into` where one that was stopped had come to. Bytes in its DVC remote stay shared."""
    shutil.copytree(stopped, into)
    return Sandbox.resume(into)
