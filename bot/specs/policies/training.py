"""`training.yaml`: where models may be trained, for how long, and how much that may take. The file may be missing.

Read from the default branch only, so that a pull request names neither a machine nor an address that it is not offered.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import Field

from bot.errors import UserError
from bot.specs.base import Spec
from bot.specs.model import ModelSpec
from bot.specs.policies.words import Glob
from bot.specs.size import Size, size_bytes
from bot.specs.validation import validate
from bot.specs.yaml import Document, read_yaml

FILE = "policies/training.yaml"


class Runner(Spec):
    """What a training on runners of a label may take."""

    minutes: Annotated[int, Field(ge=1, le=360)] = 120
    """Longest `resources.timeout_minutes` that a spec may name."""


# https://docs.github.com/actions/reference/runners/github-hosted-runners: labels of GitHub's own arm64 machines
DEFAULT_RUNNERS = dict.fromkeys(("ubuntu-24.04-arm", "ubuntu-22.04-arm"), Runner.model_construct(minutes=120))


class TrainingPolicy(Spec):
    """Where models may be trained, for how long, and how much a training may take."""

    api_version: Literal["policy/v1"] = Field("policy/v1", alias="apiVersion")
    kind: Literal["TrainingPolicy"] = "TrainingPolicy"
    runners: Annotated[dict[Glob, Runner], Field(min_length=1)] = DEFAULT_RUNNERS
    """Runner labels (or patterns such as `gpu-*`) that a spec may name. Who runs such a machine has its evaluations in
    hand. Left out: `ubuntu-24.04-arm` and `ubuntu-22.04-arm`, GitHub's own."""
    memory: Size | None = None
    """Most memory of each process of a training whose spec names none; left out, nine tenths of the machine's."""
    table: Size | None = None
    """Most memory that a model's data may take once they are unpacked; left out, as much as the process."""
    dask: Annotated[str, Field(max_length=300)] | None = None
    """Address of the Dask scheduler for specs with `search: {dask: true}`: `tls://host:port`. Whoever answers there
    runs code in the training job."""

    def runner(self, label: str) -> Runner | None:
        """What is allowed on runners of a label: that of the exact label, else of the first pattern; None: nothing."""
        patterns = (name for name in self.runners if fnmatchcase(label, name))
        return self.runners.get(label) or next((self.runners[name] for name in patterns), None)

    @property
    def memory_bytes(self) -> int | None:
        """`memory` in bytes."""
        return size_bytes(self.memory)

    @property
    def table_bytes(self) -> int | None:
        """`table` in bytes."""
        return size_bytes(self.table)


def read_training_policy(data: bytes | None, file: str = FILE) -> TrainingPolicy:
    """The policy; without a file (None) its defaults. Raises UserError or Problems with the place of each mistake."""
    return (
        TrainingPolicy() if data is None else validate(read_yaml(data, file), TrainingPolicy, schema="training-policy")
    )


def refused_resources(spec: ModelSpec, document: Document, policy: TrainingPolicy) -> UserError | None:
    """Why a spec may not be trained where it asks to be, with the place of that key; None when it may."""
    label, minutes = spec.resources.runner, spec.resources.timeout_minutes
    allowed = policy.runner(label)
    if allowed is None:
        message = f"models are not trained on runners labelled {label!r}"
        hint = f"Name one of {', '.join(policy.runners)}, or let the label be added under `runners` in {FILE}."
        key = "runner"
    elif minutes > allowed.minutes:
        message = f"{minutes} minutes on {label} are more than the {allowed.minutes} that {FILE} allows"
        hint = f"Name at most {allowed.minutes}, or let `minutes` of that label be raised."
        key = "timeout_minutes"
    else:
        return None
    place = document.place(("resources", key))
    return UserError(message, hint=hint, place=place, code="resources_refused")
