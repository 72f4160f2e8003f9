"""What every field of one query knows: who asks, what they may see, and what was worked out already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.sandbox.graphql.limits import Cost
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.http import ApiError, Call, Reply, not_found
from bot.sandbox.people import Permission, Person
from bot.sandbox.shapes.basics import organization_id
from bot.sandbox.store import Repository

Perform = Callable[[Call, str, str, Any], Reply]


@dataclass
class Context:
    """`perform` answers a call of the REST API as the same caller; `limits` are those of GraphQL after this query."""

    call: Call
    perform: Perform
    cost: Cost
    limits: Mapping[str, int]
    is_enterprise: bool = False
    _known: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    @property
    def hub(self) -> Any:
        return self.call.hub

    @property
    def links(self) -> Any:
        return self.call.links

    @property
    def login(self) -> str:
        return self.call.login

    @property
    def now(self) -> datetime:
        found: datetime = self.hub.clock()
        return found

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        """The body of the REST API's answer, with everything that the call causes. Raises ApiError."""
        return self.perform(self.call, method, path, body or {}).body

    def once(self, word: str, thing: Thing, make: Callable[[], Any]) -> Any:
        """What `make` gives, worked out once a query for a thing."""
        key = (word, thing.kind, thing.key)
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    # --- accounts

    def account(self, login: str | None) -> Thing | None:
        """A person, bot or organization by login; None for nobody, and for somebody whose account is gone."""
        person = self.hub.data.people.get(login) if login else None
        return None if person is None else self.person(person)

    def person(self, person: Person) -> Thing:
        return Thing(person.kind, person)

    def owner(self, login: str) -> Thing:
        """Who owns a repository: a person, or the organization."""
        return self.account(login) or self.person(Person(login, organization_id(login), kind="Organization"))

    # --- what may be seen

    def role(self, repository: Repository) -> Permission:
        """What the caller may do in a repository; a run's token counts as write."""
        token = self.call.token
        if token is None:
            return "read"
        return "write" if token.permissions is not None else self.hub.permission(repository, token.login)

    def need(self, *names: str) -> None:
        """Raises ApiError unless the token has one of these permissions, or is a person's."""
        granted = self.call.token.permissions if self.call.token else None
        if granted is not None and not any(granted.get(name) in ("read", "write") for name in names):
            raise ApiError(403, "Resource not accessible by integration")

    def need_write(self, *names: str) -> None:
        """The same, with write access."""
        granted = self.call.token.permissions if self.call.token else None
        if granted is not None and not any(granted.get(name) == "write" for name in names):
            raise ApiError(403, "Resource not accessible by integration")

    def repository(self, full_name: str) -> Thing:
        """Raises ApiError for one that is not there or that the caller may not see."""
        found = self.hub.repository(full_name)
        if self.role(found) == "none":
            raise not_found()
        return Thing("Repository", found, found)
