"""Engines on real artifacts, fitted once a session."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.predictor import load
from bot.records.release import Release
from bot.serve.app import build
from bot.serve.engine import Engine
from bot.serve.serving import Serving
from tests.builders import a_digest
from tests.serve.artifacts import an_artifact, write
from tests.serve.asgi import Client


def a_release(training: Any, version: str = "v1.0.0", counter: int = 1) -> Release:
    """What is live, for a Training."""
    return Release(
        model=training.model, environment="production", version=version, action="promote",
        artifact_digest=training.artifact_digest, evaluation_digest=a_digest("evaluation"),
        inputs_digest=training.inputs_digest, files=training.files, commit="c" * 40, pull_request=7, approved_by=(),
        promoted_by=None, reason="", released_at="2026-11-23T10:00:00Z", previous_artifact_digest=None, counter=counter,
    )  # fmt: skip


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Engine]:
    """churn by skops, churn-onnx by ONNX, price (a regression) by ONNX."""
    made = {}
    for name, kind, regression in (("churn", "skops", False), ("churn-onnx", "onnx", False), ("price", "onnx", True)):
        folder: Path = tmp_path_factory.mktemp(name)
        training = write(folder, an_artifact(name, regression=regression))
        made[name] = Engine(a_release(training), training, load(folder, training, prefer=kind), kind)  # type: ignore[arg-type]
    return made


@pytest.fixture
def serving(engines: dict[str, Engine]) -> Serving:
    """A server of these engines, ready."""
    return Serving(monotonic=time.monotonic, engines=engines, expected=frozenset(engines), started=True)


@pytest.fixture
def client(serving: Serving) -> Client:
    """A caller."""
    return Client(build(serving))
