"""`role_unused`: a role that nothing names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.decide.lint.finding import Finding
from bot.specs.policies import Policies
from bot.specs.policies.loader import ROLE_KEYS, words

NAME = "role_unused"


def find(policies: Policies, _now: datetime) -> Iterator[Finding]:
    """In approvals, environments and commands."""
    used = {
        word
        for file, document in policies.documents.items()
        if file != "roles.yaml"
        for _, word in words(document.value, (), ROLE_KEYS.__contains__)
    }
    for name in policies.roles.roles:
        if name not in used:
            place = policies.place("roles.yaml", "roles", name)
            yield Finding(NAME, "warning", f"nothing names role `{name}`", "Remove it, or use it.", place)
