"""The tag grammar (GTO's), both ways: `churn@v1.4.0`, `churn#production#7`, and with `!` for their taking back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from bot.errors import UserError

# https://github.com/treeverse/gto/blob/main/gto/constants.py: names without dots, two characters are not required
NAME = r"[a-zA-Z0-9](?:[a-zA-Z0-9\-/_]*[a-zA-Z0-9])?"
SEMVER = r"v(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"
_TAG = re.compile(
    rf"(?P<model>{NAME})(?:#(?P<environment>{NAME})|@(?P<version>{SEMVER}))(?P<cancel>!?)(?:#(?P<counter>[0-9]+))?"
)


@dataclass(frozen=True)
class RegistryTag:
    """One tag as words. Exactly one of `version` and `environment` is set; `counter` None is GTO's simple form."""

    model: str
    version: str | None = None
    environment: str | None = None
    cancel: bool = False
    counter: int | None = None

    @property
    def kind(self) -> Literal["register", "deregister", "assign", "unassign"]:
        """GTO's word for it."""
        if self.version:
            return "deregister" if self.cancel else "register"
        return "unassign" if self.cancel else "assign"

    def __str__(self) -> str:
        what = f"@{self.version}" if self.version else f"#{self.environment}"
        return f"{self.model}{what}{'!' * self.cancel}{'' if self.counter is None else f'#{self.counter}'}"


def parse_tag(name: str) -> RegistryTag | None:
    """The tag as words, None for every tag that is not one of the registry's."""
    found = _TAG.fullmatch(name)
    if found is None:
        return None
    counter = found["counter"]
    return RegistryTag(
        model=found["model"],
        version=found["version"],
        environment=found["environment"],
        cancel=found["cancel"] == "!",
        counter=int(counter) if counter else None,
    )


def checked_name(name: str, what: str) -> str:
    """The name, if GTO can carry it in a tag. Raises UserError (code `name_invalid`)."""
    if not re.fullmatch(NAME, name):
        raise UserError(
            f"{what} {name!r} cannot be written in a version tag",
            hint="Use letters, digits, '-', '_' and '/'; begin and end with a letter or a digit; no dots.",
            code="name_invalid",
        )
    return name
