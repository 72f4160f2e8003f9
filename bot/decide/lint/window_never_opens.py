"""`window_never_opens`: a window without an occurrence in the next five years."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bot.decide.lint.finding import Finding
from bot.decide.windows import ever_opens
from bot.specs.policies import Policies

NAME = "window_never_opens"


def find(policies: Policies, now: datetime) -> Iterator[Finding]:
    """Counted from now, or from its own beginning."""
    for index, window in enumerate(policies.environments.freeze_windows):
        start = max(now, datetime.fromisoformat(window.dtstart).replace(tzinfo=UTC) - timedelta(days=1))
        if not ever_opens(window, start):
            place = policies.place("environments.yaml", "freeze_windows", index, "rrule")
            message = f"window `{window.name}` never opens" + (": nothing is ever promoted" * (window.kind == "allow"))
            yield Finding(NAME, "error", message, "Mend `rrule` or `dtstart`.", place)
