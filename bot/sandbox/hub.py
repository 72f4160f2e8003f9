"""The local GitHub itself: its memory, its repositories, its people, and the events that it announces."""

from __future__ import annotations

import copy
import dataclasses
import secrets
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.sandbox import store
from bot.sandbox.bare import Bare
from bot.sandbox.clock import Clock
from bot.sandbox.downloads import Downloads
from bot.sandbox.http import not_found
from bot.sandbox.people import BOT, GHOST, WEB_FLOW, Permission, Person, Team
from bot.sandbox.shapes.basics import ACTIONS_APP, Links

if TYPE_CHECKING:
    from bot.sandbox.limits import ContentLimit

FULL: dict[str, str] = dict.fromkeys(
    ("actions", "checks", "contents", "deployments", "issues", "packages", "pull-requests", "statuses"), "write"
)

READS: dict[str, str] = {"contents": "read"}

PAST = 16  # states that a stale answer may be made from


@dataclass(frozen=True)
class Happening:
    """An event as a webhook announces it. `by_run` tells that a run's GITHUB_TOKEN caused it; `level` counts
    workflow_run after workflow_run."""

    repository: str
    event: str
    payload: dict[str, Any]
    by_run: bool = False
    level: int = 0

    @property
    def action(self) -> str:
        return str(self.payload.get("action", ""))


class Hub:
    """Everything that the routes change, under one lock; saved in `directory/github.json` after every change."""

    def __init__(self, directory: Path, data: store.Data | None = None) -> None:
        self.directory = directory
        self.data = data or store.Data(people={one.login: one for one in (BOT, WEB_FLOW)})
        self.lock = threading.RLock()
        self.listeners: list[Callable[[Happening], None]] = []
        self.content_limit: ContentLimit | None = None  # the secondary limit; none unless somebody sets it
        self.url = ""
        self.control: Callable[[str, int], None] = _no_engine  # the engine's: cancel or rerun a run
        self.used: Counter[str] = Counter()
        self.downloads = Downloads()
        self.clock = Clock()
        self.is_past = False
        self._past: deque[tuple[datetime, bytes]] = deque(maxlen=PAST)

    @classmethod
    def open(cls, directory: Path) -> Hub:
        """The hub that was saved in the folder, or a new one."""
        path = directory / "github.json"
        return cls(directory, store.load(path) if path.exists() else None)

    def save(self) -> None:
        """Write everything to the folder; nothing of a past state."""
        if self.is_past:
            return
        with self.lock:
            text = store.save(self.data, self.directory / "github.json")
            self._past.append((self.clock(), text))

    def earlier(self, seconds: float) -> Hub:
        """The hub as it was at least so many seconds ago, by what was saved; the oldest known when none is so old.

        0 is before the last change. Git's side, tokens and limits are those of now.
        """
        with self.lock:
            until = self.clock() - timedelta(seconds=seconds)
            known = list(self._past)[:-1] if seconds == 0 else [one for one in self._past if one[0] <= until]
            past = known[-1] if known else self._past[0] if self._past else None
            found = copy.copy(self)
            found.is_past = True
            if past is not None:
                found.data = store.parse(past[1])
            return found

    def next_id(self) -> int:
        self.data.last_id += 1
        return self.data.last_id

    # --- people

    def add_people(self, people: Iterable[Person]) -> None:
        """Accounts with a token each."""
        for one in people:
            person = one if one.token else dataclasses.replace(one, token=f"ghp_{secrets.token_hex(18)}")
            self.data.people[person.login] = person
            self.data.tokens[person.secret] = store.Token(person.secret, person.login)

    def reader(self) -> str:
        """The token of clones on this machine: it reads, and that is all."""
        found = (value for value, one in self.data.tokens.items() if one.permissions == READS and one.run is None)
        value = next(found, None) or f"ghs_{secrets.token_hex(18)}"
        self.data.tokens[value] = store.Token(value, BOT.login, dict(READS))
        return value

    def add_teams(self, teams: Iterable[Team]) -> None:
        self.data.teams.update({team.slug: team for team in teams})

    def person(self, login: str) -> Person:
        """The account, whatever the case of its letters; `ghost` is one always. Raises 404."""
        known = {GHOST.login: GHOST} | {name.lower(): one for name, one in self.data.people.items()}
        found = self.data.people.get(login) or known.get(login.lower())
        if found is None:
            raise not_found()
        return found

    def by_email(self, email: str) -> Person | None:
        """Whose commits carry this address: a noreply address (NUMBER+ANY also after a rename), or NAME@COMPANY."""
        name, _, host = email.partition("@")
        number, plus, _ = name.partition("+")
        if host != "users.noreply.github.com":
            ranked = sorted(self.data.people.values(), key=lambda one: name not in one.names)
            return next((one for one in ranked if email == one.email or name in (one.login, *one.names)), None)
        for person in self.data.people.values():
            if (plus and str(person.id) == number) or (name == person.login and person.has_old_address):
                return person
        return None

    def permission(self, repository: store.Repository, login: str) -> Permission:
        """What somebody may do in a repository; a stranger may read when it is public."""
        if login.lower() == repository.owner.lower():
            return "admin"
        is_open = not repository.private and login != BOT.login
        return repository.permissions.get(login, "read" if is_open else "none")

    def team_role(self, slug: str, login: str) -> str | None:
        """`member` when the person is in the team or in one below it, None when not. Raises 404 for no such team."""
        if slug not in self.data.teams:
            raise not_found()
        below = [team.slug for team in self.data.teams.values() if team.parent == slug]
        inside = login in self.data.teams[slug].members or any(self.team_role(child, login) for child in below)
        return "member" if inside else None

    # --- tokens

    def mint(self, permissions: Mapping[str, str], run: int) -> str:
        """A token for a run, acting as the bot."""
        value = f"ghs_{secrets.token_hex(18)}"
        with self.lock:
            self.data.tokens[value] = store.Token(value, BOT.login, dict(permissions), run, app=ACTIONS_APP)
        return value

    def mint_for_app(self, app: store.App, permissions: Mapping[str, str]) -> str:
        """An installation token, acting as the app's bot account; what it does starts workflows."""
        value = f"ghs_{secrets.token_hex(18)}"
        with self.lock:
            self.data.tokens[value] = store.Token(value, f"{app.slug}[bot]", dict(permissions), app=app.id)
        return value

    def expire(self, run: int) -> None:
        """Every token of a run answers 401 from now on."""
        with self.lock:
            for token in self.data.tokens.values():
                token.expired = token.expired or token.run == run

    def limits(self, token: store.Token | None, resource: str = "core") -> dict[str, int]:
        """The primary rate limit of a caller: 5,000 an hour for a person, 1,000 for a run, 60 for nobody.

        `resource` is `core`, whose unit are requests, or `graphql`, whose unit are points.
        """
        limit = 60 if token is None else 1000 if token.run is not None else 5000
        reset = self._hour()
        used = self.used[f"{self._purse(token, resource)} {reset}"]
        return {"limit": limit, "used": used, "remaining": max(0, limit - used), "reset": reset}

    def spend(self, token: store.Token | None, n: int, resource: str = "core") -> None:
        """Take requests or points from the caller's hour."""
        self.used[f"{self._purse(token, resource)} {self._hour()}"] += n

    def _purse(self, token: store.Token | None, resource: str) -> str:
        """From whose hour a caller spends: points of GraphQL are shared by all runs of a repository."""
        run = next((one for one in self.data.runs if token and one.id == token.run), None)
        owner = run.repository if run and resource == "graphql" else token.value if token else ""
        return f"{resource} {owner}"

    def _hour(self) -> int:
        """When the next hour begins."""
        return int(self.clock().timestamp()) // 3600 * 3600 + 3600

    def count_request(self, run: int) -> None:
        """Note one API request of a run."""
        for found in reversed(self.data.runs):
            if found.id == run:
                found.requests += 1
                return

    # --- repositories

    def add_repository(
        self, full_name: str, *, default_branch: str = "main", parent: str | None = None, path: str = "origin.git"
    ) -> store.Repository:
        """A new empty repository in `directory/path`, in which everybody has the permission that people carry."""
        Bare.create(self.directory / path, default_branch)
        found = store.Repository(self.next_id(), full_name, default_branch, self.clock(), path=path, parent=parent)
        found.permissions = {
            login: person.permission
            for login, person in self.data.people.items()
            if login not in (BOT.login, WEB_FLOW.login)
        }
        self.data.repositories[full_name] = found
        return found

    def repository(self, full_name: str) -> store.Repository:
        """By its name, whatever the case of its letters, or by a name that it had. Raises 404."""
        names = {name.lower(): one for name, one in self.data.repositories.items()}
        found = names.get(full_name.lower()) or self.moved(full_name)
        if found is None:
            raise not_found()
        return found

    def moved(self, full_name: str) -> store.Repository | None:
        """The repository that had this name once, None when none did or another has it now."""
        former = {name.lower(): number for name, number in self.data.moved.items()}
        number = former.get(full_name.lower())
        return next((one for one in self.data.repositories.values() if one.id == number), None)

    def bare(self, repository: store.Repository | str) -> Bare:
        """The Git side of a repository."""
        found = self.repository(repository) if isinstance(repository, str) else repository
        return Bare(self.directory / found.path)

    # --- events

    def links(self, api: str | None = None, web: str | None = None) -> Links:
        """URLs under the API root that a caller used, and those of the pages; None means the server's own."""
        return Links(self, api or self.url, web or self.url)

    def announce(
        self, repository: store.Repository, event: str, payload: dict[str, Any], *, by_run: bool, level: int = 0
    ) -> None:
        """Tell every listener; a listener never fails the call that caused the event."""
        happening = Happening(repository.full_name, event, payload, by_run, level)
        for listener in self.listeners:
            listener(happening)


def _no_engine(word: str, run: int) -> None:
    """What `control` is until an engine comes."""
