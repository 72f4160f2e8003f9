"""Freeze and allow windows: RFC 5545 recurrences in a time zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.specs.policies.environments import Window
from bot.specs.policies.words import seconds

if TYPE_CHECKING:
    from dateutil.rrule import rrule, rruleset

HORIZON = timedelta(days=366 * 5)


def is_open(window: Window, now: datetime) -> bool:
    """Whether `now` (aware) is within an occurrence: its start belongs to it, its end does not.

    Starts recur by the wall clock of the time zone.
    """
    length = timedelta(seconds=seconds(window.duration))
    zone = ZoneInfo(window.time_zone)
    local = now.astimezone(zone).replace(tzinfo=None)
    # One clock change at most two hours either way: look a little further.
    slack = timedelta(hours=3)
    starts = _rule(window).between(local - length - slack, local + slack, inc=True)
    return any(_utc(start, zone) <= now < _end(start, window.duration, zone) for start in starts)


def _end(start: datetime, duration: str, zone: ZoneInfo) -> datetime:
    """Days and weeks are those of the wall clock, hours and less are elapsed time: RFC 5545, 3.3.6."""
    length = timedelta(seconds=seconds(duration))
    return _utc(start + length, zone) if duration[-1] in "dw" else _utc(start, zone) + length


def next_opening(window: Window, now: datetime) -> datetime | None:
    """The next start (aware, in the window's zone); None when there is none within five years."""
    zone = ZoneInfo(window.time_zone)
    local = now.astimezone(zone).replace(tzinfo=None)
    start: datetime | None = _rule(window).after(local, inc=False)
    if start is None or start - local > HORIZON:
        return None
    return start.replace(tzinfo=zone)


def ever_opens(window: Window, now: datetime) -> bool:
    """Whether it is open now or opens within five years."""
    return is_open(window, now) or next_opening(window, now) is not None


def _utc(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(ZoneInfo("UTC"))


def _rule(window: Window) -> rrule | rruleset:
    return _parsed(window.rrule, window.dtstart)


@lru_cache(maxsize=64)
def _parsed(rule: str, dtstart: str) -> rrule | rruleset:
    from dateutil.rrule import rrulestr

    return rrulestr(rule, dtstart=datetime.fromisoformat(dtstart), cache=True)
