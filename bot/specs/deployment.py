"""`deploy/deployment.yaml`: how each environment's releases reach what serves them. Without the file: `mlbot serve`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bot.specs.base import Spec, wrong
from bot.specs.policies.words import Name
from bot.specs.validation import validate
from bot.specs.yaml import read_yaml

FILE = "deploy/deployment.yaml"


def _pinned(image: str) -> str:
    name, at, digest = image.partition("@sha256:")
    if not at or not name or len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        hint = "Write registry/name@sha256:<64 hexadecimal digits>; a tag can be moved to other bytes."
        raise wrong(f"{image!r} is not pinned by digest", hint)
    return image


class Resources(Spec):
    """What a replica asks for and may use, in Kubernetes' notation."""

    cpu: str = Field("500m", min_length=1, max_length=20)
    memory: str = Field("512Mi", min_length=1, max_length=20)
    memory_limit: str = Field("1Gi", min_length=1, max_length=20)


class Target(Spec):
    """One environment's delivery."""

    target: Literal["kserve", "serve", "directory"] = "serve"
    """`kserve`: an InferenceService; `serve`: `mlbot serve` follows the branch; `directory`: a folder with a link."""
    image: Annotated[str, AfterValidator(_pinned)] | None = None
    """The serving image, pinned by digest."""
    repository_url: str | None = Field(None, min_length=1, max_length=500)
    """Where a container clones this repository from; read access is enough."""
    namespace: str = Field("models", pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)
    mode: Literal["Standard", "Knative"] = "Standard"
    """KServe's deployment mode; it decides the form that a canary takes."""
    canary_percent: int = Field(0, ge=0, le=100)
    """Share of requests that a new release gets until its verification has passed; 0: all of them at once."""
    runtime: Literal["mlbot", "triton"] = "mlbot"
    """`triton`: KServe's own runtime on the ONNX file; it checks no digest and takes no text columns."""
    storage_uri: str | None = Field(None, min_length=1, max_length=500)
    """For `triton`: where model repositories are copied to; `/<model>/<digest>` is appended."""
    min_replicas: int = Field(1, ge=0, le=100)
    max_replicas: int = Field(3, ge=1, le=1000)
    architecture: Literal["arm64", "amd64", "any"] = "arm64"
    resources: Resources = Resources.model_construct(cpu="500m", memory="512Mi", memory_limit="1Gi")
    requirements: str | None = Field(None, pattern=r"^deploy/[A-Za-z0-9._/-]+\.txt$")
    """Locked requirements of what serves, when it is not mlbot's own image: a release must load and answer there."""
    template: str | None = Field(None, pattern=r"^deploy/[A-Za-z0-9._/-]+\.j2$")
    """A Jinja2 template of yours instead of the built-in one."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.target == "kserve" and self.runtime == "mlbot" and (self.image is None or self.repository_url is None):
            raise wrong("an InferenceService needs `image` and `repository_url`", "docs/deployment.md shows one.")
        if self.runtime == "triton" and self.storage_uri is None:
            raise wrong("the Triton form needs `storage_uri`", "A bucket or a volume that the cluster can read.")
        if self.min_replicas > self.max_replicas:
            raise wrong("min_replicas is above max_replicas", key="min_replicas")
        return self


class Deployment(Spec):
    """Delivery by environment; an environment that is not named is followed by `mlbot serve`."""

    api_version: Literal["deployment/v1"] = Field(alias="apiVersion")
    kind: Literal["Deployment"]
    environments: dict[Name, Target] = Field(min_length=1)

    def of(self, environment: str) -> Target:
        """The environment's delivery."""
        return self.environments.get(environment) or Target()


def read_deployment(data: bytes | None, file: str = FILE) -> Deployment | None:
    """The settings, None when there is no such file. Raises UserError or Problems with places."""
    return None if data is None else validate(read_yaml(data, file), Deployment, schema="deployment")
