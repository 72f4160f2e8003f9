"""`roles.yaml`: who is what."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bot.specs.base import Spec, wrong
from bot.specs.policies.words import AccountRef, AccountText, Name, Permission, TeamText, account


class Role(Spec):
    """Members are the union of users, teams and apps; `permission` is asked of each of them on top."""

    description: str = ""
    users: tuple[AccountText, ...] = ()
    """People as `login#id`. The id decides, so that a renamed or re-registered login is not another person."""
    teams: tuple[TeamText, ...] = ()
    """`organization/team`; active members, child teams count."""
    apps: tuple[AccountText, ...] = ()
    """Bot accounts as `name[bot]#id`. Nobody's bot counts unless it is written here."""
    permission: Permission | None = None
    """Least repository permission. Without users, teams and apps: everybody who has it."""

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not (self.users or self.teams or self.apps or self.permission):
            raise wrong("the role has no members", "Name users, teams or apps, or a least permission.")
        return self

    @property
    def accounts(self) -> tuple[AccountRef, ...]:
        """Users and apps that the policy names."""
        return tuple(account(text) for text in (*self.users, *self.apps))


class Roles(Spec):
    """Who is what."""

    api_version: Literal["policy/v1"] = Field(alias="apiVersion")
    kind: Literal["Roles"]
    roles: dict[Name, Role] = Field(min_length=1)
