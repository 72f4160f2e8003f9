"""A repository by another name or owner: its number stays, and the old address leads to the new one."""

from __future__ import annotations

from typing import Any

from bot.errors import UserError
from bot.sandbox import events
from bot.sandbox.hub import Hub
from bot.sandbox.relabel import relabel
from bot.sandbox.store import Data, FullName, Repository


def move(hub: Hub, repository: Repository, full_name: str) -> None:
    """Give the repository another full name, wherever it is named. Raises UserError when it is taken."""
    if full_name.lower() in {name.lower() for name in hub.data.repositories} or full_name.count("/") != 1:
        raise UserError(f"{full_name}: there is such a repository, or it is no OWNER/NAME", code="taken")
    old = repository.full_name
    relabel(hub.data, Data, FullName, lambda name: full_name if name == old else name)
    hub.data.moved.pop(full_name, None)
    hub.data.moved[old] = repository.id


def rename(hub: Hub, repository: Repository, full_name: str, sender: str) -> None:
    """Rename it, or transfer it to another owner, and tell those who listen."""
    owner, name = hub.links().owner(repository), repository.name
    before = "organization" if owner["type"] == "Organization" else "user"
    shown = hub.links().organization(repository.owner) if before == "organization" else owner
    move(hub, repository, full_name)
    changes: dict[str, Any] = {"owner": {"from": {before: shown}}}
    if repository.owner == owner["login"]:
        changes = {"repository": {"name": {"from": name}}}
    action = "transferred" if "owner" in changes else "renamed"
    events.announce(hub, repository, "repository", action, sender, False, changes=changes)
