"""Teams of an organization."""

from __future__ import annotations

from typing import Any

from bot.sandbox.people import Team
from bot.sandbox.shapes.basics import Links, node


def team_id(slug: str) -> int:
    """A stable number for a team's name."""
    return 700 + sum(map(ord, slug))


def team(links: Links, organization: str, found: Team, *, nested: bool = True, typed: bool = False) -> dict[str, Any]:
    """GitHub's `team`; `nested` shows the team above it, `typed` that an organization owns it, as webhooks do not."""
    slug = found.slug
    url = f"{links.api}/orgs/{organization}/teams/{slug}"
    parent = links.hub.data.teams.get(found.parent or "")
    shape = {
        "id": team_id(slug),
        "node_id": node("Team", slug),
        "name": slug,
        "slug": slug,
        "description": None,
        "privacy": "secret" if found.secret else "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "url": url,
        "html_url": f"{links.web}/orgs/{organization}/teams/{slug}",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
    }
    shape |= {"type": "organization"} if typed else {}
    if nested:
        shape["parent"] = team(links, organization, parent, nested=False, typed=typed) if parent else None
    return shape
