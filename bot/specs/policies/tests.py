"""`policies/tests/*.yaml`: what people expect of their policies, in short facts."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bot.specs.base import Spec, wrong
from bot.specs.policies.words import AccountText, ChangeKind, Name, Permission

Says = Literal["approve", "withdraw", "reject", "hold", "unhold"]


class GivenModel(Spec):
    """A model that the change affects."""

    name: str = Field(min_length=1)
    declared_tier: str = ""
    gates: Literal["pass", "fail", "inconclusive"] = "pass"
    evaluated: bool = True
    base_moved: bool = False
    attested: bool = True
    revoked: bool = False


class GivenOpinion(Spec):
    """Somebody said something. `head: old` is an earlier head whose models had other content."""

    by: str = Field(min_length=1)
    says: Says = "approve"
    how: Literal["review", "command"] = "review"
    head: Literal["live", "old", "same"] = "live"
    """`same` is an earlier head with the same content."""
    models: tuple[str, ...] = ()
    environment: str | None = None
    reason: str = ""
    edited: bool = False
    hours_ago: float = Field(1, ge=0)


class GivenPerson(Spec):
    """A person of whom roles.yaml says nothing by name."""

    account: AccountText
    permission: Permission = "read"
    teams: tuple[str, ...] = ()


class Given(Spec):
    """A pull request in a few words; what is not said is a complete, unremarkable change by nobody in particular."""

    subject: str = "merge"
    author: str = "somebody-else"
    committers: tuple[str, ...] = ()
    co_authors: tuple[str, ...] = ()
    last_pusher: str | None = None
    training_initiator: str | None = None
    people: tuple[GivenPerson, ...] = ()
    permissions: dict[str, Permission] = Field(default_factory=dict)
    """Logins whose permission is not `admin`."""
    change_kinds: tuple[ChangeKind, ...] = ("spec",)
    changed_paths: tuple[str, ...] = ()
    models: tuple[GivenModel | str, ...] = ("some-model",)
    guarded_paths: tuple[str, ...] = ()
    """Changed files that no model's digest covers; found from `change_kinds` when left out."""
    opinions: tuple[GivenOpinion | str, ...] = ()
    """`owen approves` is short for a review of the live head an hour ago."""
    checks: dict[str, str] = Field(default_factory=dict)
    """Check -> conclusion (`running` for none yet) by the source that the policy names, or `forged` by another."""
    built_days_ago: dict[str, float] = Field(default_factory=dict)
    """Login -> how many days ago this person built the models."""
    labels: tuple[str, ...] = ()
    base_branch: str = "main"
    from_fork: bool = False
    draft: bool = False
    merged: bool | None = None
    """Whether it is merged; for an environment that is the default."""
    unattributed: bool = False
    asked_by: str | None = None
    asked_minutes_ago: float = Field(1, ge=0)
    live_hours: dict[str, float] = Field(default_factory=dict)
    """Environment -> how many hours ago this artifact went live there."""
    locked_by: str | None = None
    action: Literal["promote", "rollback"] = "promote"
    reason: str = "because"


class Expect(Spec):
    """The verdict, reason codes that must be in the tree, and who must be named as able to unblock."""

    status: Literal["approved", "pending", "rejected", "error"]
    codes: tuple[str, ...] = ()
    risk_tier: Name | None = None
    unblock_by: tuple[str, ...] | None = None


class PolicyTest(Spec):
    """One expectation."""

    name: str = Field(min_length=1)
    at: str | None = None
    """The time of judging (RFC 3339); 2026-03-04T12:00:00Z, a Wednesday, when left out."""
    given: Given = Given()
    expect: Expect

    @model_validator(mode="after")
    def _at_is_a_time(self) -> Self:
        from datetime import datetime

        if self.at is not None:
            try:
                moment = datetime.fromisoformat(self.at)
            except ValueError:
                raise wrong(f"{self.at!r} is not a time", 'Write "2026-03-04T12:00:00Z".', key="at") from None
            if moment.tzinfo is None:
                raise wrong(f"{self.at!r} has no time zone", 'Write "2026-03-04T12:00:00Z".', key="at")
        return self


class PolicyTests(Spec):
    """What people expect of their policies."""

    api_version: Literal["policy/v1"] = Field(alias="apiVersion")
    kind: Literal["PolicyTests"]
    tests: tuple[PolicyTest, ...] = Field(min_length=1)
