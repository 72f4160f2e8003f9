"""`roles.yaml`: who is what."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bot.specs.base import Spec, wrong
from bot.specs.policies.words import (
    TOOL,
    AccountRef,
    AccountText,
    EmailText,
    HolderText,
    Name,
    Permission,
    TeamText,
    account,
)


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
    addresses: dict[EmailText, HolderText] = Field(default_factory=dict)
    """Whose an e-mail address in a commit is, where GitHub knows nobody: `login#id` of a person, or `tool` for a
    program that names itself as a co-author. GitHub's own word goes first."""

    def holder(self, email: str) -> int | Literal["tool"] | None:
        """The account id, or that it is a tool's; None of an address that nobody listed."""
        text = self.addresses.get(email.lower())
        return None if text is None else "tool" if text == TOOL else account(text).id
