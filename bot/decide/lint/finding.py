"""What lint says about a policy that loads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bot.errors import Place
from bot.specs.policies import Policies


@dataclass(frozen=True)
class Finding:
    """A mistake (`error`) or something to look at (`warning`); `rule` is the name of the lint rule."""

    rule: str
    severity: Literal["error", "warning"]
    message: str
    hint: str
    place: Place

    def __str__(self) -> str:
        return f"{self.place}: {self.severity}: {self.message} [{self.rule}]\n  {self.hint}"


def people(roles: Iterable[str], policies: Policies) -> set[int] | None:
    """Account ids that hold one of the roles; None when teams or permissions make the number open."""
    found: set[int] = set()
    for name in roles:
        role = policies.roles.roles[name]
        if role.teams or not role.accounts:
            return None
        found |= {account.id for account in role.accounts}
    return found
