"""A server follows promotions, rollbacks and withdrawals, and keeps what answers when the new one is wrong."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.predictor import load
from bot.promote.step import rollback, withdraw
from bot.records.training import ArtifactFile
from bot.serve.app import Serving, build
from bot.serve.step import Follower
from tests.promote.world import RUTH, World
from tests.serve.artifacts import an_artifact
from tests.serve.asgi import Client
from tests.serve.test_app import ROWS

ONE, TWO = an_artifact("churn", onnx=False), an_artifact("churn", shift=0.9, onnx=False)


class Server:
    """A follower with its own clone, and a caller of what it serves."""

    def __init__(self, world: World, **options: Any) -> None:
        self.serving = Serving(monotonic=time.monotonic)
        self.follower = Follower(
            environment="production",
            ports=world.ports("server"),
            load=lambda folder, training, kind: load(folder, training, prefer=kind),  # type: ignore[arg-type]
            cache=world.root / "cache",
            **options,
        )
        self.client = Client(build(self.serving))

    def refresh(self) -> list[str]:
        return self.follower.refresh(self.serving)

    def answer(self) -> Any:
        return self.client.post("/v2/models/churn/infer", json=ROWS).json()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def release(world: World, artifact: dict[str, Any]) -> Any:
    """Evaluate and promote an artifact to production."""
    return world.let_out(*world.evaluated(artifact["training"], artifact["files"]))


def test_follows_promotion_rollback_and_withdrawal(world: World) -> None:
    """The answer changes with each of them, and names the version that gave it."""
    server = Server(world)
    assert server.refresh() == []
    assert server.answer()["error"].startswith("there is no model")
    release(world, ONE)
    server.refresh()
    first = server.answer()
    assert first["model_version"] == "v1.0.0"
    release(world, TWO)
    server.refresh()
    second = server.answer()
    assert second["model_version"] == "v1.1.0"
    assert second["outputs"][1]["data"] != first["outputs"][1]["data"]
    rollback("production", "churn", reason="worse", by=RUTH, ports=world.ports())
    server.refresh()
    assert server.answer() == first
    withdraw("production", "churn", reason="law", by=RUTH, ports=world.ports())
    assert server.refresh() == ["churn was withdrawn from production"]
    assert "error" in server.answer()


def tampered_bytes(world: World, artifact: dict[str, Any]) -> None:
    """Somebody changes the model in the store after the promotion."""
    release(world, artifact)
    for folder in world.artifacts.folders.values():
        if folder["model.skops"] == artifact["files"]["model.skops"]:
            folder["model.skops"] += b"x"


def wrong_golden(world: World, artifact: dict[str, Any]) -> None:
    """The runtime computes something else than training did."""
    files = dict(artifact["files"])
    files["golden.json"] = files["golden.json"].replace(b'"predictions":["', b'"predictions":["not ')
    release(world, {**artifact, "files": files, "training": hashed_again(artifact, files)})


def no_golden(world: World, artifact: dict[str, Any]) -> None:
    """An artifact without golden predictions cannot be checked."""
    files = {"model.skops": artifact["files"]["model.skops"]}
    release(world, {"files": files, "training": keeping(artifact, tuple(files))})


def unlisted_golden(world: World, artifact: dict[str, Any]) -> None:
    """Golden predictions that no digest vouches for prove nothing."""
    release(world, {**artifact, "training": keeping(artifact, ("model.skops",))})


def other_evaluation(world: World, artifact: dict[str, Any]) -> None:
    """The pointer leads to another artifact than the release names."""
    from bot.records.ledger import artifact_path

    release(world, artifact)
    pointer = world.artifacts.keep(ONE["files"])
    world.ports("thief").environments.commit({artifact_path("production", "churn"): pointer.encode()}, "swap")


def hashed_again(artifact: dict[str, Any], files: dict[str, bytes]) -> Any:
    """The Training of these files."""
    training = artifact["training"]
    listed = tuple(
        ArtifactFile(name=name, sha256="sha256:" + hashlib.sha256(data).hexdigest(), size=len(data))
        for name, data in files.items()
    )
    return training.model_copy(update={"files": listed})


def keeping(artifact: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The Training with only these files."""
    training = artifact["training"]
    return training.model_copy(update={"files": tuple(one for one in training.files if one.name in names)})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (tampered_bytes, "model.skops is sha256:"),
        (wrong_golden, "golden predictions are not reproduced: predict: 1 of 20 labels differ"),
        (no_golden, "no golden.json"),
        (other_evaluation, "model.skops is sha256:"),
        (unlisted_golden, "no golden.json"),
    ],
)
def test_keeps_the_old_model_when_the_new_one_cannot_be_verified(world: World, wrong: Any, says: str) -> None:
    """A release that fails a check is refused with the reason; the old one keeps answering."""
    server = Server(world)
    release(world, ONE)
    server.refresh()
    before = server.answer()
    wrong(world, TWO)
    said = server.refresh()
    assert says in said[0]
    assert "v1.0.0 keeps answering" in said[0]
    assert server.answer() == before
    assert says in server.client.get("/v2/health/ready").json()["problems"]["churn"]
    assert 'mlbot_switches_total{model="churn",outcome="refused"} 1' in server.client.get("/metrics").text
    assert server.refresh() == [], "a refused release is not tried again at every look"


def test_serves_only_the_pinned_digest(world: World) -> None:
    """A container pinned to a digest never answers with another one."""
    release(world, ONE)
    server = Server(world, pin=ONE["training"].artifact_digest)
    server.refresh()
    assert server.answer()["model_version"] == "v1.0.0"
    pinned_to_other = Server(world, pin="sha256:" + "0" * 64)
    assert pinned_to_other.refresh() == []
    assert "error" in pinned_to_other.answer()


def test_several_models(world: World) -> None:
    """All models of the environment answer beside each other; a named one may be served alone."""
    release(world, ONE)
    release(world, an_artifact("price", regression=True))
    server = Server(world)
    server.refresh()
    assert [one["name"] for one in server.client.get("/v2/models").json()["models"]] == ["churn", "price"]
    alone = Server(world, models=("price",))
    alone.refresh()
    assert [one["name"] for one in alone.client.get("/v2/models").json()["models"]] == ["price"]
