"""A verdict as a tree with a reason code and a sentence at each node."""

from __future__ import annotations

from typing import Literal

from bot.records.base import Part, Record
from bot.records.release import Approver

Status = Literal["approved", "pending", "rejected", "error", "not_applicable"]


class Node(Part):
    """One judgement. `who_can` names the people or roles who could change it (display text, no @)."""

    name: str
    status: Status
    reason_code: str
    sentence: str
    who_can: tuple[str, ...] = ()
    children: tuple[Node, ...] = ()


class Unblock(Part):
    """One action of the smallest set that would turn the verdict green: who, what, and the command to paste."""

    who: tuple[str, ...]
    action: str
    command: str | None


class ModelVerdict(Part):
    """The verdict for one model of the pull request, with the digests it binds to."""

    model: str
    status: Status
    inputs_digest: str
    evaluation_digest: str | None
    artifact_digest: str | None
    approvals: tuple[str, ...]  # ids of the approvals that count
    risk_tier: str = ""
    approved_by: tuple[Approver, ...] = ()


class Alert(Part):
    """Something that people are told once, in a comment of its own. `id` says what it is about: an opinion.

    `who` are logins and teams (`organization/team`), without @.
    """

    id: str
    who: tuple[str, ...]
    sentence: str


class Decision(Record):
    """What `decide` makes of facts and policies. `subject` is `merge` or an environment name.

    `evaluation_id` is what people approve by, None while nothing is evaluated. `flags` are what a reader must not
    overlook: `break_glass`. `judge` is the version of the judge: with another one the same facts may be judged
    otherwise, as docs/policies.md says.
    """

    schema_version: Literal[1] = 1
    subject: str
    number: int
    head_sha: str
    status: Status
    reason_code: str
    headline: str
    risk_tier: str
    tree: Node
    models: tuple[ModelVerdict, ...]
    unblock: tuple[Unblock, ...]
    facts_digest: str
    policy_digest: str
    decided_at: str  # RFC 3339, UTC
    evaluation_id: str | None = None
    flags: tuple[str, ...] = ()
    alerts: tuple[Alert, ...] = ()
    judge: int = 1
