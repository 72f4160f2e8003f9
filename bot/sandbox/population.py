"""What happens to the accounts, the teams and the repository of a rehearsal: people change, places move."""

from __future__ import annotations

from collections.abc import Iterable

from bot.sandbox import accounts, moves
from bot.sandbox.hub import Hub
from bot.sandbox.people import Permission, Person
from bot.sandbox.store import Repository


class Population:
    """The part of a Sandbox that changes who is there and where."""

    hub: Hub
    repository: str

    @property
    def repo(self) -> Repository:
        raise NotImplementedError

    def rename_account(self, old: str, new: str) -> None:
        """The same account by another login, with the same number and token; the old login is nobody's."""
        with self.hub.lock:
            accounts.rename(self.hub, old, new)
            self.hub.save()

    def delete_account(self, login: str) -> None:
        """The account is gone: its login answers 404, its token 401, what it wrote is the ghost's."""
        with self.hub.lock:
            accounts.delete(self.hub, login)
            self.hub.save()

    def register(self, person: Person) -> None:
        """A new account, that may do here what any stranger may. Raises UserError for a login or number in use."""
        with self.hub.lock:
            accounts.register(self.hub, person)
            self.hub.save()

    def set_permission(self, login: str, permission: Permission) -> None:
        """What somebody may do in the repository from now on; `none` makes a stranger of them."""
        with self.hub.lock:
            accounts.set_permission(self.hub, self.repo, login, permission, accounts.administrator(self.repo))
            self.hub.save()

    def set_team(self, slug: str, members: Iterable[str] | None, parent: str | None = None) -> None:
        """Who is in a team of the organization, which is made when there is none; None deletes it."""
        given = None if members is None else tuple(members)
        with self.hub.lock:
            accounts.set_team(self.hub, slug, given, parent, accounts.administrator(self.repo))
            self.hub.save()

    def rename_repository(self, full_name: str) -> None:
        """Another name or owner. The old one redirects API calls and still takes git's; the number stays."""
        with self.hub.lock:
            moves.rename(self.hub, self.repo, full_name, accounts.administrator(self.repo))
            self.repository = full_name
            self.hub.save()
