"""A training that was done again: what is to be done again, and what came of it."""

from __future__ import annotations

from typing import Any, Literal

from bot.records.base import Part, Record

Outcome = Literal["same", "within_tolerance", "differs", "failed"]
CONFIRMS: tuple[Outcome, ...] = ("same", "within_tolerance")


class Target(Part):
    """An evaluation that is to be reproduced, at a head whose spec has its inputs. `runner` is where: a label."""

    model: str
    number: int
    head_sha: str
    inputs_digest: str
    evaluation_digest: str
    runner: str
    timeout_minutes: int

    @property
    def key(self) -> str:
        """Names it within a run, in which a model may be there twice."""
        return f"{self.model}@{self.evaluation_digest.removeprefix('sha256:')[:16]}"


class Targets(Record):
    """Everything that one run of the workflow `reproduce` trains again."""

    schema_version: Literal[1] = 1
    targets: tuple[Target, ...]


class Reproduction(Record):
    """What came of training an evaluation's inputs again in another run.

    `same`: the same artifact digest and metrics. `within_tolerance`: another architecture or numerical kernel, and
    metrics and golden answers within the tolerance that `sentence` states. `differs`: neither. `failed`: no result, so
    nothing was learnt. `artifact_digest` is the new one, None without a result; `architecture` is what the run says of
    its machine. `at` is RFC 3339, UTC.
    """

    schema_version: Literal[1] = 1
    model: str
    number: int
    inputs_digest: str
    evaluation_digest: str
    artifact_digest: str | None
    outcome: Outcome
    sentence: str
    run: dict[str, Any]
    runner: str
    architecture: str
    at: str
