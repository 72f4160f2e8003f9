"""Which pull requests are in which group of the merge queue, and groups that must not land any more.

Written down before a group is judged: whoever holds or rejects one of its pull requests afterwards stops the group.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.ledger import Ledger
from bot.pipeline.job import Job
from bot.records.base import canonical_json
from bot.records.ledger import Grouped, grouped_path, stopped_path
from bot.report.status import VERDICT
from bot.words import Plain

LONGEST = timedelta(days=1)  # that a group waits for its checks; GitHub's own longest is six hours


def group(numbers: Iterable[int], sha: str, job: Job) -> None:
    """Write down that these pull requests are in the group commit; what is written stays."""
    at = job.ports.clock.now().isoformat(timespec="seconds")
    facts = {grouped_path(one, sha): Grouped(number=one, sha=sha, at=at).canonical() for one in numbers}
    Ledger(job.ports.ledger).add(facts, f"group {sha[:12]} of the merge queue")


def is_stopped(sha: str, job: Job) -> bool:
    """Whether somebody's word stopped the group since; the ledger must have been fetched for this."""
    return Ledger(job.ports.ledger).is_stopped(sha)


def stop(number: int, said: Plain, job: Job) -> None:
    """Red on each group that may still land with this pull request: first for good on the ledger, then as a status.

    In this order, since whoever shows a group green looks at the ledger afterwards. One request a group of a day.
    """
    ledger, talk, now = Ledger(job.ports.ledger), job.ports.conversation, job.ports.clock.now()
    for one in ledger.groups(number).whole:
        if now - datetime.fromisoformat(one.at) > LONGEST:
            continue
        ledger.add({stopped_path(one.sha): canonical_json({"sha": one.sha})}, f"stop group {one.sha[:12]}")
        if talk.statuses(one.sha).get(VERDICT, ("", ""))[0] not in ("failure", "error"):
            talk.set_status(one.sha, VERDICT, "failure", said, job.ports.run.url)
