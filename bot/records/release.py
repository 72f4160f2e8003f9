"""What is live in an environment, as `release.json` on the environments branch and as a fact in the ledger."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.records.base import Part, Record
from bot.records.event import Account
from bot.records.training import ArtifactFile

DRILL = "rollback drill"  # the reason of a rollback that is a rehearsal
COMMAND_LINE = "command line"  # the role of a person whom Git's own configuration names


class Approver(Part):
    """Who approved, by id and login, in which role."""

    id: int
    login: str
    role: str


class Release(Record):
    """A model version in an environment. `pull_request` None means that it was evaluated without one.

    `counter` grows by one with each change of any environment of the model. `hold` says that nothing is promoted here
    by itself until a person promotes the current candidate. `trigger` names what asked for it (a comment, a run), so
    that a redelivery is known as one; None when nothing can be redelivered. A `withdraw` carries what was live before.
    """

    schema_version: Literal[1] = 1
    model: str
    environment: str
    version: str  # semantic version with a leading v
    action: Literal["promote", "rollback", "withdraw"]
    artifact_digest: str
    evaluation_digest: str
    inputs_digest: str
    files: tuple[ArtifactFile, ...]
    commit: str  # the commit of the default branch that brought the change
    pull_request: int | None
    approved_by: tuple[Approver, ...]
    promoted_by: Approver | None  # None: the policy promoted by itself
    reason: str
    released_at: str  # RFC 3339, UTC
    previous_artifact_digest: str | None
    counter: int = 0
    hold: bool = False
    trigger: str | None = None
    decision_digest: str | None = None  # of the Decision that let it out, None when a person forced it or it went back


class Verification(Record):
    """One verification of a release in its environment.

    `failed` revokes what an earlier one said and may roll back; `error` says that nothing was learnt.
    """

    schema_version: Literal[1] = 1
    model: str
    environment: str
    counter: int  # of the release
    artifact_digest: str
    outcome: Literal["passed", "failed", "error"]
    sentence: str
    checked_at: str  # RFC 3339, UTC


class Revocation(Record):
    """An artifact that must not be live anywhere any more. `number` is the pull request where that was said, None for
    the command line."""

    schema_version: Literal[1] = 1
    artifact_digest: str
    by: Account
    at: str  # RFC 3339, UTC
    reason: str
    number: int | None

    @property
    def sentence(self) -> str:
        """For people: that it is revoked, by whom, when and why."""
        return f"{self.artifact_digest} was revoked by {self.by.login} at {self.at}: {self.reason}"


class Removal(Record):
    """An evaluated artifact that was removed from the store: its evaluation stays, its bytes have to be made again.

    `reason` says why somebody had it erased, empty where nothing needed it any more.
    """

    schema_version: Literal[1] = 1
    model: str
    evaluation_digest: str
    removed_at: str  # RFC 3339, UTC
    reason: str = Field("", exclude_if=lambda text: not text)
