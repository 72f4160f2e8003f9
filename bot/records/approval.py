"""An opinion as the bot first saw it: kept so that a later edit, deletion or loss of a role shows."""

from __future__ import annotations

from typing import Literal

from bot.records.base import Record
from bot.records.event import Account
from bot.records.facts import OpinionKind
from bot.records.ledger import Evaluated


class Approval(Record):
    """An opinion of any kind with what it was given for. `id` is `c<comment id>.<n>` or `r<review id>`.

    `models` holds the digests that the opinion stands for, by model; empty when it names nothing known. `stood` says
    that it is an objection and that its maker could object then.
    """

    schema_version: Literal[1] = 1
    id: str
    number: int
    kind: OpinionKind
    method: Literal["review", "command"]
    actor: Account
    roles: tuple[str, ...]
    head_sha: str
    target: str | None
    selectors: tuple[str, ...]
    models: dict[str, Evaluated]
    environment: str | None
    reason: str
    body_sha256: str
    policy_digest: str
    created_at: str
    stood: bool = False


class Void(Record):
    """Opinions that stopped to count because the pull request was closed or retargeted."""

    schema_version: Literal[1] = 1
    number: int
    cause: Literal["closed", "retargeted"]
    opinions: tuple[str, ...]
