"""What every other shape is built of: times, node ids, URLs, accounts."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bot.sandbox.people import BOT, GHOST, Person

if TYPE_CHECKING:
    from bot.sandbox.hub import Hub
    from bot.sandbox.store import Repository


ACTIONS_APP = 15368  # GitHub Actions, the same on all of github.com


def iso(when: datetime) -> str:
    """GitHub's time format."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_of_epoch(seconds: int) -> str:
    """The same, of a Unix time."""
    return iso(datetime.fromtimestamp(seconds, UTC))


def maybe(when: datetime | None) -> str | None:
    return iso(when) if when else None


def node(kind: str, number: int | str) -> str:
    """An opaque global id."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


@dataclass(frozen=True)
class Links:
    """URLs as a caller knows them: `api` is the root of the REST API, `web` that of the pages."""

    hub: Hub
    api: str
    web: str

    def repo(self, repository: Repository) -> str:
        return f"{self.api}/repos/{repository.full_name}"

    def page(self, repository: Repository) -> str:
        return f"{self.web}/{repository.full_name}"

    def account(self, login: str | None) -> dict[str, Any] | None:
        """A simple user, None for None; a deleted account is shown as the ghost, as issues and comments do."""
        return None if login is None else self.user(self.hub.data.people.get(login) or GHOST)

    def account_or_none(self, login: str | None) -> dict[str, Any] | None:
        """A simple user, None for None and for a deleted account, as GitHub has it elsewhere than in `account`."""
        known = self.hub.data.people.get(login or "")
        return self.user(known) if known else None

    def app_of(self, login: str) -> int | None:
        """The GitHub App whose bot account this is, None for a person."""
        if login == BOT.login:
            return ACTIONS_APP
        return next((one.id for one in self.hub.data.apps.values() if f"{one.slug}[bot]" == login), None)

    def user(self, person: Person) -> dict[str, Any]:
        """GitHub's `simple-user`."""
        url = f"{self.api}/users/{quote(person.login)}"
        page = f"{self.web}/apps/{person.login.removesuffix('[bot]')}" if person.kind == "Bot" else None
        return {
            "login": person.login,
            "id": person.id,
            "node_id": node("User", person.id),
            "avatar_url": f"{self.web}/avatars/{person.id}.svg",
            "gravatar_id": "",
            "url": url,
            "html_url": page or f"{self.web}/{person.login}",
            "followers_url": f"{url}/followers",
            "following_url": f"{url}/following{{/other_user}}",
            "gists_url": f"{url}/gists{{/gist_id}}",
            "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
            "subscriptions_url": f"{url}/subscriptions",
            "organizations_url": f"{url}/orgs",
            "repos_url": f"{url}/repos",
            "events_url": f"{url}/events{{/privacy}}",
            "received_events_url": f"{url}/received_events",
            "type": person.kind,
            "user_view_type": "public",
            "site_admin": False,
        }

    def full_user(self, person: Person) -> dict[str, Any]:
        """GitHub's `public-user`."""
        return self.user(person) | {
            "name": person.login.capitalize(),
            "company": None,
            "blog": "",
            "location": None,
            "email": None,
            "hireable": None,
            "bio": person.role or None,
            "twitter_username": None,
            "public_repos": 0,
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "created_at": "2020-01-01T00:00:00Z",
            "updated_at": "2020-01-01T00:00:00Z",
        }

    def owner(self, repository: Repository) -> dict[str, Any]:
        """The account that owns a repository: a person, or the organization."""
        known = self.hub.data.people.get(repository.owner)
        return self.user(known or Person(repository.owner, organization_id(repository.owner), kind="Organization"))

    def organization(self, login: str) -> dict[str, Any]:
        """GitHub's `organization-simple`."""
        url = f"{self.api}/orgs/{login}"
        whole = self.user(Person(login, organization_id(login), kind="Organization"))
        return {name: whole[name] for name in ("login", "id", "node_id", "avatar_url")} | {
            "url": url,
            "repos_url": f"{url}/repos",
            "events_url": f"{url}/events",
            "hooks_url": f"{url}/hooks",
            "issues_url": f"{url}/issues",
            "members_url": f"{url}/members{{/member}}",
            "public_members_url": f"{url}/public_members{{/member}}",
            "description": None,
        }

    def app(self, number: int | None) -> dict[str, Any] | None:
        """GitHub's `integration`: GitHub Actions or an app of the world; None for None."""
        if number is None:
            return None
        known = self.hub.data.apps.get(number)
        slug = known.slug if known else "github-actions"
        owner = Person("github", 9919, kind="Organization")
        return {
            "id": number,
            "slug": slug,
            "node_id": node("Integration", number),
            "owner": self.user(owner),
            "name": "GitHub Actions" if known is None else slug,
            "description": "",
            "external_url": self.web,
            "html_url": f"{self.web}/apps/{slug}",
            "created_at": "2018-07-30T09:30:17Z",
            "updated_at": "2024-04-10T20:33:16Z",
            "permissions": {"metadata": "read"},
            "events": [],
        }


def organization_id(login: str) -> int:
    """A stable number for an organization's name."""
    return 900_000 + sum(map(ord, login))
