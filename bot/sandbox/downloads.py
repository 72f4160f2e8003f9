"""Files behind an address that needs no token and holds for a short time: where GitHub sends who asks for one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.http import ApiError, Call, Reply, not_found

PATH = "/api/downloads/"  # below /api/, since PyGithub follows to no other place of the same host
HOLDS_S = 60.0


@dataclass(frozen=True)
class Offer:
    """`make` gives the bytes when somebody comes for them, before `until` (of the process's clock)."""

    make: Callable[[], bytes]
    kind: str
    name: str
    until: float


@dataclass
class Downloads:
    """What may be fetched now."""

    offers: dict[str, Offer] = field(default_factory=dict)

    def redirect(self, call: Call, make: Callable[[], bytes], kind: str, name: str) -> Reply:
        """The answer that leads there."""
        now = time.monotonic()
        self.offers = {key: one for key, one in self.offers.items() if one.until > now}
        key = secrets.token_urlsafe(24)
        self.offers[key] = Offer(make, kind, name, now + HOLDS_S)
        return Reply(None, 302, {"Location": f"{call.web}{PATH}{key}"})

    def answer(self, path: str) -> Reply:
        """The file, or 404 when nobody offered it or the time is over."""
        offer = self.offers.get(path.removeprefix(PATH))
        try:
            if offer is None or offer.until < time.monotonic():
                raise not_found()
            headers = {"Content-Type": offer.kind, "Content-Disposition": f'attachment; filename="{offer.name}"'}
            return Reply(offer.make(), 200, headers)
        except ApiError as error:
            return Reply(str(error).encode(), error.status)
