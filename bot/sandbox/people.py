"""The people of a rehearsal, and the account as which workflow runs act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

Login = Annotated[str, "login"]  # an account's present name; who is renamed is renamed in every field of this type
Permission = Literal["none", "read", "triage", "write", "maintain", "admin"]

RANKS: tuple[Permission, ...] = ("none", "read", "triage", "write", "maintain", "admin")


@dataclass(frozen=True)
class Person:
    """Somebody with an account. `token` empty means that a random one is made; `role` is prose for the page.

    `has_old_address` tells that LOGIN@users.noreply.github.com is theirs, as it is of accounts from before July 2017;
    `names` are the names besides the login by which companies wrote to them: NAME@COMPANY stays theirs.
    """

    login: Login
    id: int
    role: str = ""
    permission: Permission = "write"
    token: str = ""
    kind: Literal["User", "Bot", "Organization"] = "User"
    has_old_address: bool = True
    names: tuple[str, ...] = ()

    @property
    def secret(self) -> str:
        """The token that this person pushes and calls the API with; empty before the account is in a sandbox."""
        return self.token

    @property
    def email(self) -> str:
        """The address by which GitHub links a commit to this account."""
        if self.id == WEB_FLOW.id:
            return "noreply@github.com"
        return f"{self.id}+{self.login}@users.noreply.github.com"


GHOST = Person("ghost", 10137)  # whom GitHub shows in place of a deleted account
BOT = Person("github-actions[bot]", 41898282, "bot", kind="Bot")
WEB_FLOW = Person("web-flow", 19864447, "commits made on the web")  # the committer of merges that GitHub makes

DEFAULT_PEOPLE: tuple[Person, ...] = (
    Person("dana", 1001, "data scientist"),
    Person("owen", 1002, "model owner"),
    Person("vera", 1003, "model validator"),
    Person("rhea", 1004, "release manager", "maintain"),
    Person("ada", 1009, "administrator", "admin"),
)


@dataclass(frozen=True)
class Team:
    """A team of the organization that owns the repository; `parent` is the slug of the team above.

    A `secret` one is seen by its members only.
    """

    slug: str
    members: tuple[Login, ...]
    parent: str | None = None
    secret: bool = False
