"""Manifests: what KServe is told, in every form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.errors import Problems, UserError
from bot.promote.manifest import dns_name, render
from bot.promote.step import rollback
from bot.promote.upkeep import finish_canary
from bot.records.ledger import manifest_path
from bot.specs.deployment import Target, read_deployment
from tests.promote.test_recovery import a_release
from tests.promote.world import RUTH, World, git

SCHEMA = json.loads((Path(__file__).parent / "inferenceservice.schema.json").read_text())
IMAGE = "ghcr.io/team/mlbot-serve@sha256:" + "a" * 64
ONE, TWO = a_release(1, "one"), a_release(2, "two")


def a_target(**changes: Any) -> Target:
    """KServe in Standard mode."""
    fields = {"target": "kserve", "image": IMAGE, "repository_url": "https://github.com/team/models.git"}
    return Target.model_validate({**fields, **changes})


def manifest(target: Target, **options: Any) -> Any:
    """The rendered manifest, checked against the schema."""
    loaded = yaml.safe_load(render(options.pop("release", TWO), target, **options))
    jsonschema.validate(loaded, SCHEMA)
    return loaded


def arguments(predictor: Any) -> list[str]:
    """What the container is started with."""
    found: list[str] = predictor["containers"][0]["args"]
    return found


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_a_full_release_is_one_predictor_pinned_by_digest(mode: str) -> None:
    """Our image by digest, our release by digest, on arm64 nodes, with no canary."""
    spec = manifest(a_target(mode=mode))["spec"]
    assert "canary" not in spec
    assert "canaryTrafficPercent" not in spec["predictor"]
    assert f"--pin={TWO.artifact_digest}" in arguments(spec["predictor"])
    terms = spec["predictor"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert terms["nodeSelectorTerms"][0]["matchExpressions"][0]["values"] == ["arm64"]
    assert ("name" in spec["predictor"]) == (mode == "Standard")


def test_standard_mode_canary_names_both_predictors() -> None:
    """The stable release keeps the predictor; the new one is an entry with its share and without maxReplicas."""
    spec = manifest(a_target(canary_percent=10), previous=ONE)["spec"]
    assert f"--pin={ONE.artifact_digest}" in arguments(spec["predictor"])
    canary = spec["canary"][0]
    assert canary["trafficPercent"] == 10
    assert f"--pin={TWO.artifact_digest}" in arguments(canary["predictor"])
    assert canary["predictor"]["name"] != spec["predictor"]["name"]
    full = manifest(a_target(canary_percent=10), previous=None)["spec"]
    assert full["predictor"]["name"] == canary["predictor"]["name"], "promoting the canary restarts nothing"


def test_knative_canary_is_a_percentage_on_the_new_predictor() -> None:
    """The rest of the traffic stays on the revision that was rolled out last."""
    spec = manifest(a_target(mode="Knative", canary_percent=10), previous=ONE)["spec"]
    assert spec["predictor"]["canaryTrafficPercent"] == 10
    assert f"--pin={TWO.artifact_digest}" in arguments(spec["predictor"])


def test_a_rollback_gets_all_traffic_at_once() -> None:
    """Nobody waits for a canary when something is wrong."""
    spec = manifest(a_target(canary_percent=10), release=a_release(3, "one", "rollback"), previous=TWO)["spec"]
    assert "canary" not in spec


def test_triton_form() -> None:
    """ONNX on KServe's own runtime: protocol v2 and the digest in the path."""
    spec = manifest(a_target(runtime="triton", storage_uri="s3://models"))["spec"]
    model = spec["predictor"]["model"]
    assert model["protocolVersion"] == "v2"
    assert model["storageUri"] == f"s3://models/churn/sha256-{TWO.artifact_digest.removeprefix('sha256:')}"


@pytest.mark.parametrize(
    ("text", "name"),
    [("churn", "churn"), ("Churn_2", "churn-2"), ("2020", "m-2020"), ("a" * 80, "a" * 63), ("v1.2.0", "v1-2-0")],
)  # fmt: skip
def test_kubernetes_names(text: str, name: str) -> None:
    """Any model name becomes a name that Kubernetes takes."""
    assert dns_name(text) == name


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ relase.model }}", "'relase' is undefined"),
        ("{% if %}", "Expected an expression"),
        ("{{ release.__class__.__mro__ }}", "unsafe"),
        ("{{ ''.__class__ }}", "unsafe"),
    ],
)
def test_a_wrong_template_is_named(template: str, says: str) -> None:
    """A team's template that cannot be rendered, or reaches for Python, is refused with its file."""
    with pytest.raises(UserError) as caught:
        render(TWO, a_target(), template=template, source="deploy/mine.j2")
    assert says in caught.value.message
    assert str(caught.value).startswith("deploy/mine.j2")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("environments: {production: {target: kserv}}", "target"),
        ("environments: {production: {target: kserve}}", "an InferenceService needs"),
        ("environments: {production: {image: 'x:latest'}}", "not pinned by digest"),
        ("environments: {production: {replicas: 3}}", "replicas"),
        ("environments: {production: {min_replicas: 5, max_replicas: 2}}", "above"),
    ],
)
def test_wrong_settings_are_named_with_their_line(text: str, says: str) -> None:
    """A mistake in deploy/deployment.yaml carries file, line and column."""
    data = f"apiVersion: deployment/v1\nkind: Deployment\n{text}\n".encode()
    with pytest.raises((UserError, Problems)) as caught:
        read_deployment(data)
    assert says in str(caught.value)
    assert "deploy/deployment.yaml:3" in str(caught.value)


def set_up(world: World, text: str) -> None:
    """Commit deployment settings (and a template) to the default branch."""
    seed = world.root / "seed"
    (seed / "deploy").mkdir()
    (seed / "deploy" / "deployment.yaml").write_text(text)
    (seed / "deploy" / "mine.j2").write_text("model: {{ release.model }}\nshare: {{ settings.canary_percent }}\n")
    git(seed, "add", ".")
    git(seed, "-c", "user.name=ana", "-c", "user.email=ana@example.com", "commit", "-qm", "deploy")
    git(seed, "push", "-q", "origin", "HEAD:main")
    world.main = git(seed, "rev-parse", "HEAD")


def test_canary_from_promotion_to_full_traffic_and_back(tmp_path: Path) -> None:
    """Promotion writes the canary, a passed verification all traffic, a rollback the old one: a commit each."""
    world = World(tmp_path)
    set_up(
        world,
        f"""apiVersion: deployment/v1
kind: Deployment
environments:
  production:
    target: kserve
    image: {IMAGE}
    repository_url: https://github.com/team/models.git
    canary_percent: 20
""",
    )

    def live() -> Any:
        loaded = yaml.safe_load(world.ports("reader").environments.get(manifest_path("production", "churn")) or b"")
        jsonschema.validate(loaded, SCHEMA)
        return loaded["spec"]

    first = world.promote("one")
    assert "canary" not in live()
    second = world.promote("two")
    assert live()["canary"][0]["trafficPercent"] == 20
    assert finish_canary("production", "churn", world.ports()) is True
    assert finish_canary("production", "churn", world.ports()) is False
    assert "canary" not in live()
    assert f"--pin={second.artifact_digest}" in arguments(live()["predictor"])
    rollback("production", "churn", reason="x", by=RUTH, ports=world.ports())
    assert f"--pin={first.artifact_digest}" in arguments(live()["predictor"])


def test_a_teams_own_template_is_used(tmp_path: Path) -> None:
    """`template:` in the settings names a Jinja2 file of the default branch."""
    world = World(tmp_path)
    set_up(
        world,
        "apiVersion: deployment/v1\nkind: Deployment\nenvironments: {production: {template: deploy/mine.j2}}\n",
    )
    world.promote("one")
    assert world.ports("reader").environments.get(manifest_path("production", "churn")) == b"model: churn\nshare: 0\n"


def test_examples_point_at_the_environments_branch() -> None:
    """The Argo CD and Flux examples are YAML that reads manifest.yaml from mlbot/environments."""
    folder = Path(__file__).resolve().parents[2] / "docs" / "examples"
    argo = yaml.safe_load((folder / "argocd-applicationset.yaml").read_text())
    assert argo["spec"]["template"]["spec"]["source"]["targetRevision"] == "mlbot/environments"
    assert argo["spec"]["template"]["spec"]["source"]["directory"]["include"] == "manifest.yaml"
    source, kustomization = yaml.safe_load_all((folder / "flux-kustomization.yaml").read_text())
    assert source["spec"]["ref"]["branch"] == "mlbot/environments"
    assert kustomization["spec"]["sourceRef"]["name"] == source["metadata"]["name"]
