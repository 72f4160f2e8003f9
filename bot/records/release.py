"""What is live in an environment, as `release.json` on the environments branch and as a fact in the ledger."""

from __future__ import annotations

from typing import Literal

from bot.records.base import Part, Record
from bot.records.training import ArtifactFile


class Approver(Part):
    """Who approved, by id and login, in which role."""

    id: int
    login: str
    role: str


class Release(Record):
    """A model version in an environment. `pull_request` None means that it was evaluated without one."""

    schema_version: Literal[1] = 1
    model: str
    environment: str
    version: str  # semantic version with a leading v
    action: Literal["promote", "rollback"]
    artifact_digest: str
    evaluation_digest: str
    inputs_digest: str
    files: tuple[ArtifactFile, ...]
    commit: str  # the commit of the default branch that the version tag points to
    pull_request: int | None
    approved_by: tuple[Approver, ...]
    promoted_by: Approver | None  # None: the policy promoted by itself
    reason: str
    released_at: str  # RFC 3339, UTC
    previous_artifact_digest: str | None
