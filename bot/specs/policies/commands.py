"""`commands.yaml`: who may say what."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bot.specs.base import Spec, wrong
from bot.specs.policies.words import Name, Permission

Verb = Literal[
    "help", "status", "explain", "plan", "retrain", "cancel", "approve", "unapprove", "reject", "hold", "unhold",
    "delegate", "undelegate", "promote", "rollback", "revoke", "lock", "unlock", "break-glass", "simulate", "merge",
    "reproduce",
]  # fmt: skip
Stage = Literal["open", "draft", "closed", "merged"]

# Where a verb makes sense when the policy does not say.
DEFAULT_STAGES: dict[str, tuple[Stage, ...]] = {
    "promote": ("merged",),
    "rollback": ("open", "draft", "closed", "merged"),
    "break-glass": ("merged",),
    "approve": ("open", "merged"),
    "unapprove": ("open", "draft", "merged"),
    "reject": ("open", "draft", "merged"),
    "hold": ("open", "draft", "merged"),
    "unhold": ("open", "draft", "merged"),
    "plan": ("open", "draft"),
    "retrain": ("open", "draft"),
    "reproduce": ("open", "merged"),
    "cancel": ("open", "draft"),
    "merge": ("open",),
}
ANYWHERE: tuple[Stage, ...] = ("open", "draft", "closed", "merged")


class Budget(Spec):
    """How much of a costly command."""

    per_actor_per_day: int = Field(ge=1)


class CommandRule(Spec):
    """A person of one of the roles, or with the permission, or (where said) the author."""

    roles: tuple[Name, ...] | None = Field(None, min_length=1)
    permission: Permission | None = None
    or_author: Literal["same_repo_only", "always"] | None = None
    require_target: tuple[Name, ...] = ()
    """Risk tiers in which the command must name what it is about."""
    stages: tuple[Stage, ...] | None = Field(None, min_length=1)
    """The pull request's states in which it works; a sensible default for each verb."""
    budget: Budget | None = None

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        if self.roles is None and self.permission is None:
            raise wrong("nobody may use the command", "Name `roles` or the least `permission`.")
        return self


class Commands(Spec):
    """Who may say what. A verb that is not named is refused, except help, status, explain and simulate (read)."""

    api_version: Literal["policy/v1"] = Field(alias="apiVersion")
    kind: Literal["Commands"]
    prefix: str | None = Field(None, pattern=r"^[a-z][a-z0-9-]{0,19}$")
    """`ml` makes the commands `/ml approve`, for repositories with another bot."""
    commands: dict[Verb, CommandRule] = Field(min_length=1)

    def written(self, line: str) -> str:
        """A line such as `/approve E-...` as it is written in this repository: `/ml approve E-...`."""
        return line if self.prefix is None else f"/{self.prefix} {line.removeprefix('/')}"
