"""A server follows promotions, rollbacks and withdrawals, and keeps what answers when the new one is wrong."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.git import GitBranch
from bot.adapters.predictor import load
from bot.cli.serve import _unbroken
from bot.promote.step import revoke, rollback, withdraw
from bot.records.ledger import promotion_path
from bot.records.training import ArtifactFile
from bot.serve.app import build
from bot.serve.serving import Serving
from bot.serve.step import Follower
from tests.promote.world import RUTH, World, git
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


def test_a_revoked_artifact_answers_no_more_and_what_was_not_revoked_answers_on(world: World) -> None:
    """Also when it was live, and when the environments branch still names it; a rollback brings an answer back."""
    server = Server(world)
    first, second = release(world, ONE), release(world, TWO)
    server.refresh()
    assert server.answer()["model_version"] == second.version
    revoke(second.artifact_digest, by=RUTH, reason="leaked labels", ports=world.ports())
    said = server.refresh()
    assert f"churn {second.version} answers no more" in said[0] and "leaked labels" in said[0]
    assert "error" in server.answer() and not server.serving.ready()
    assert "was revoked by" in server.serving.problems["churn"]
    late = Server(world)
    late.refresh()
    assert "error" in late.answer(), "a server that starts now"
    pinned = Server(world, pin=second.artifact_digest)
    pinned.refresh()
    assert "error" in pinned.answer(), "a server of exactly these bytes"
    rollback("production", "churn", reason="revoked", by=RUTH, ports=world.ports())
    server.refresh()
    assert server.answer()["model_version"] == first.version and server.serving.ready()


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
    assert pinned_to_other.client.get("/v2/health/ready").status_code == 503


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


def put_back(world: World, files: dict[str, bytes | None]) -> None:
    """Somebody who may push writes to the environments branch."""
    branch = world.ports("writer").environments
    branch.refresh()  # type: ignore[attr-defined]
    branch.commit(files, "put back")


def kept(world: World) -> dict[str, bytes | None]:
    """Everything of production as it is now."""
    branch = world.ports("writer").environments
    return {path: branch.get(path) for path in branch.paths("production/")}


def test_an_old_release_that_somebody_puts_back_is_not_served(world: World) -> None:
    """Its files and signatures are the bot's own, but the ledger knows a later change."""
    release(world, ONE)
    old = kept(world)
    release(world, TWO)
    server, fresh = Server(world), Server(world)
    server.refresh()
    put_back(world, old)
    (said,) = server.refresh()
    assert "change 1 of production was put back; the ledger has change 2" in said
    assert server.answer()["model_version"] == "v1.1.0"
    fresh.refresh()
    assert "was put back" in fresh.answer()["error"]
    assert fresh.client.get("/v2/health/ready").status_code == 503


def test_a_release_whose_file_is_deleted_keeps_answering(world: World) -> None:
    """Only a withdrawal takes a model away; whoever deletes its files is named as a problem until they are back."""
    release(world, ONE)
    server = Server(world)
    server.refresh()
    files = kept(world)
    put_back(world, dict.fromkeys(files))
    server.refresh()
    assert server.answer()["model_version"] == "v1.0.0"
    assert "has lost its release" in server.client.get("/v2/health/ready").json()["problems"]["churn"]
    fresh = Server(world)
    fresh.refresh()
    assert fresh.client.get("/v2/health/ready").status_code == 503
    put_back(world, files)
    server.refresh()
    assert "problems" not in server.client.get("/v2/health/ready").json()


def test_an_old_withdrawal_that_somebody_puts_back_takes_nothing_away(world: World) -> None:
    """It is the bot's own file, but the ledger knows that the model came back."""
    release(world, ONE)
    withdraw("production", "churn", reason="law", by=RUTH, ports=world.ports())
    old = kept(world)
    release(world, ONE)
    server = Server(world)
    server.refresh()
    put_back(world, {**dict.fromkeys(kept(world)), **old})
    server.refresh()
    assert server.answer()["model_version"] == "v1.0.0"
    assert "has lost its release" in server.client.get("/v2/health/ready").json()["problems"]["churn"]


def test_a_pinned_server_goes_on_when_the_environment_moves_on(world: World) -> None:
    """A container that is pinned answers until its cluster ends it, and starts again as the stable half of a canary."""
    release(world, ONE)
    server = Server(world, pin=ONE["training"].artifact_digest)
    server.refresh()
    release(world, TWO)
    assert server.refresh() == []
    assert server.answer()["model_version"] == "v1.0.0"
    restarted = Server(world, pin=ONE["training"].artifact_digest)
    restarted.refresh()
    assert restarted.answer()["model_version"] == "v1.0.0"
    withdraw("production", "churn", reason="law", by=RUTH, ports=world.ports())
    assert server.refresh() == []
    assert server.answer()["model_version"] == "v1.0.0"


@pytest.mark.parametrize("wants", [False, True])
def test_the_policy_says_whether_only_unbroken_chains_are_served(world: World, wants: bool) -> None:
    """`verify_before_serving` in policies/environments.yaml is read from the default branch for each release."""
    policies = world.root / "seed" / "policies"
    shutil.copytree(Path(__file__).parents[2] / "policies", policies)
    text = (policies / "environments.yaml").read_text()
    key = f"  production:\n    verify_before_serving: {str(wants).lower()}\n"
    (policies / "environments.yaml").write_text(text.replace("  production:\n", key, 1))
    git(policies.parent, "add", ".")
    git(policies.parent, "-c", "user.name=ana", "-c", "user.email=ana@example.com", "commit", "-qm", "policies")
    git(policies.parent, "push", "-q", "origin", "HEAD:main")
    live = release(world, ONE)
    GitBranch(world.ports("thief").git, "mlbot/ledger").commit(  # type: ignore[arg-type]
        {promotion_path("churn", live.counter, "production"): None}, "hide it"
    )
    ports = world.ports("server")
    server = Server(world, check=_unbroken("production", ports, is_asked=False, is_live=True))
    (said,) = server.refresh()
    assert ("the chain is broken at ledger_fact" in said) == wants


def test_a_release_whose_fact_comes_a_second_later_answers_at_the_next_look(world: World) -> None:
    """A rollback pushes the branch before the ledger's fact; a server that looks in between is not a minute late."""
    live = release(world, ONE)
    origin, ref = world.root / "origin.git", "refs/heads/mlbot/ledger"
    fact = promotion_path("churn", live.counter, "production")
    newest = subprocess.run(
        ["git", "-C", str(origin), "log", "-1", "--format=%H", ref, "--", fact],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    tip = subprocess.run(
        ["git", "-C", str(origin), "rev-parse", ref], capture_output=True, text=True, check=True
    ).stdout.strip()
    git(origin, "update-ref", ref, f"{newest}^")
    ports = world.ports("server")
    server = Server(world, check=_unbroken("production", ports, is_asked=True, is_live=True))
    (said,) = server.refresh()
    assert "the chain is broken at ledger_fact" in said
    git(origin, "update-ref", ref, tip)
    (said,) = server.refresh()
    assert said.startswith("churn v1.0.0 answers")
