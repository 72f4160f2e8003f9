"""How the server does: volume, age of the last row, and what its Prometheus page counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.monitor.inputs import is_beyond
from bot.monitor.logged import Count
from bot.records.health import Check, Note

_LINE = re.compile(r"([a-z_]+)\{([^}]*)\} ([0-9.eE+-]+|\+Inf)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def traffic(
    count: Count, since: datetime, until: datetime, least_rows: int, level: float, *, is_whole: bool
) -> Iterator[Check]:
    """Rows of the window, and how old the newest is. Only a whole window can have too few: none at all, or fewer than
    chance leaves (Poisson) of the least that there should be.
    """
    from scipy.special import pdtr

    few = count.rows < least_rows and (not count.rows or pdtr(count.rows, least_rows) <= level)
    alarm = is_whole and bool(few)
    sentence = f"{count.rows:,} rows from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC"
    yield Check(
        cause="traffic", code="rows", sentence=sentence, alarm=alarm, value=count.rows, limit=least_rows or None
    )
    if count.last is not None:
        age = max((until - count.last).total_seconds() / 3600, 0.0)
        yield Check(cause="traffic", code="age_hours", sentence=f"the newest row is {age:.1f} h old", alarm=False,
                    value=age)  # fmt: skip


def left_out(count: Count, broken: dict[str, str]) -> Iterator[Note]:
    """Rows and files that were not judged, and why."""
    if count.duplicates:
        yield Note(code="duplicates", sentence=f"{count.duplicates:,} rows repeat an earlier request id: left out.")
    if count.future:
        yield Note(
            code="clock_skew",
            sentence=f"{count.future:,} rows come from the future: left out. Set the clock of the server, or of this.",
        )
    if count.other_releases:
        yield Note(code="other_releases", sentence=f"{count.other_releases:,} rows were answered by other releases.")
    for name, reason in sorted(broken.items()):
        yield Note(code="file_broken", sentence=f"{name} cannot be read to its end: {reason}")


def server(page: str, model: str, most_errors: float | None, most_p99: float | None, level: float) -> Iterator[Check]:
    """Errors and latency since the server started, from its own page (Prometheus text)."""
    found = [(name, dict(_LABEL.findall(labels)), value) for name, labels, value in _samples(page)]
    mine = [one for one in found if one[1].get("model") == model]
    answered = {labels["status"]: value for name, labels, value in mine if name == "mlbot_requests_total"}
    total = sum(value for name, _, value in mine if name == "mlbot_requests_total")
    if not answered or not total:
        return
    failed = sum(v for name, labels, v in mine if name == "mlbot_requests_total" and labels["status"] >= "500")
    yield Check(
        cause="operation", code="errors", value=failed / total, limit=most_errors,
        sentence=f"{failed / total:.2%} of {total:,.0f} requests failed",
        alarm=most_errors is not None and is_beyond(failed, total, most_errors, level),
    )  # fmt: skip
    buckets = sorted(
        (float(labels["le"]), value) for name, labels, value in mine if name == "mlbot_request_seconds_bucket"
    )
    for quantile, limit in ((0.5, None), (0.99, most_p99)):
        bound = next((le for le, n in buckets if buckets and n >= quantile * buckets[-1][1]), None)
        if bound is not None and bound != float("inf"):
            yield Check(
                cause="operation", code=f"p{quantile * 100:g}_seconds", value=bound, limit=limit,
                sentence=f"{quantile:.0%} of the requests were answered within {bound:g} s",
                alarm=limit is not None and bound > limit and is_beyond(_slower(buckets, limit), total, 0.01, level),
            )  # fmt: skip


def _slower(buckets: Sequence[tuple[float, float]], limit: float) -> float:
    """Requests that took longer than the last bucket at or below the limit."""
    within = [n for le, n in buckets if le <= limit]
    return buckets[-1][1] - (within[-1] if within else 0.0)


def _samples(page: str) -> Iterator[tuple[str, str, float]]:
    for line in page.splitlines():
        match = _LINE.match(line.strip())
        if match:
            yield match[1], match[2], float(match[3])
