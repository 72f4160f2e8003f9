"""How often somebody may ask: the primary limit of an hour, and the secondary one on what makes content.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.sandbox.http import ApiError
from bot.sandbox.hub import Hub
from bot.sandbox.store import Token

DOCS = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"
BLOCKED = (
    "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. "
    "Please retry your request again later."
)


def headers_of(limits: dict[str, int], resource: str = "core") -> dict[str, str]:
    """GitHub's headers about the primary limit."""
    shown = {f"X-RateLimit-{name.capitalize()}": str(value) for name, value in limits.items()}
    return shown | {"X-RateLimit-Resource": resource}


def check_primary(hub: Hub, token: Token | None) -> None:
    """Raises 403 when the hour's requests are spent; the headers say when the next hour begins."""
    limits = hub.limits(token)
    if limits["remaining"] == 0:
        error = ApiError(403, f"API rate limit exceeded for {_whom(hub, token)}", headers=headers_of(limits))
        error.body["documentation_url"] = DOCS
        raise error


def check_content(hub: Hub, login: str) -> None:
    """Counts one more write. Raises 403 or 429 when it is one too many."""
    if hub.content_limit is not None:
        hub.content_limit.count(login, hub.clock())


def _whom(hub: Hub, token: Token | None) -> str:
    if token is None:
        more = "But here's the good news: Authenticated requests get a higher rate limit."
        return f"127.0.0.1. ({more} Check out the documentation for more details.)"
    if token.run is not None:
        return "installation."
    if token.app is not None:
        return f"installation ID {hub.data.apps[token.app].installation}."
    return f"user ID {hub.person(token.login).id}."


@dataclass
class ContentLimit:
    """At most so many writes of an account a minute and an hour; then it is `status`, 403 or 429, for a while."""

    per_minute: int = 80
    per_hour: int = 500
    status: int = 403
    retry_after_s: int = 60
    _made: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    _until: dict[str, datetime] = field(default_factory=dict)

    def count(self, login: str, now: datetime) -> None:
        """One more write; raises when it is one too many, and until the time that the answer names is over."""
        made = [one for one in self._made[login] if one > now - timedelta(hours=1)]
        in_minute = sum(one > now - timedelta(minutes=1) for one in made)
        if now >= self._until.get(login, now) and in_minute < self.per_minute and len(made) < self.per_hour:
            self._made[login] = [*made, now]
            return
        if now >= self._until.get(login, now):
            self._until[login] = now + timedelta(seconds=self.retry_after_s)
        left = max(1, int((self._until[login] - now).total_seconds()))
        error = ApiError(self.status, BLOCKED, headers={"Retry-After": str(left)})
        error.body["documentation_url"] = f"{DOCS}#about-secondary-rate-limits"
        raise error
