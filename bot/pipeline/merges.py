"""Merges of the default branch -> promotions by the policy, each once and in order, also when a run was lost.

The ledger remembers up to which commit merges are settled, and which of them still wait (for a window, an approval).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.errors import Parts, UserError
from bot.ledger import Ledger
from bot.pipeline.job import Job
from bot.pipeline.judge import head_of, policies_of
from bot.pipeline.promotion import brought_by, overtaken_by
from bot.records.ledger import Settled, Waiting, settled_path

FIRST_LOOK = timedelta(days=14)  # where nothing was settled yet
OVERLAP = timedelta(hours=2)  # GitHub may notice late that a push merged a pull request
PATIENCE = timedelta(days=30)  # what has not been approved by then is asked for by a person


def settle_merges(promote: Callable[[int, Job], None], job: Job, parts: Parts, *, is_kept: bool) -> None:
    """`promote` what merges since the last time brought, by number; one that fails keeps no other back.

    `is_kept` writes down how far that is, when it is another place than before. Requests: none while the branch stands
    and nothing waits; else one for each hundred pull requests that were closed since, and those of each promotion.
    """
    now, tip, before = job.ports.clock.now(), job.default_sha, last_settled(job)
    left = list(before.waiting) if before is not None else []
    at = datetime.fromisoformat(before.at) if before is not None else now - FIRST_LOOK
    if before is None or before.sha != tip or now - at < OVERLAP:
        listed = parts.attempt("merged pull requests", lambda: job.ports.pull_requests.merged(at - OVERLAP))
        if listed is None:
            return
        known = {one.number for one in left}
        left += [
            Waiting(number=one.number, head_sha=one.head_sha, commit=one.commit, merged_at=one.at.isoformat())
            for one in listed
            if one.number not in known
        ]
    left = [one for one in left if _brings(one, job) and not _settled(one, promote, job, parts)]
    new = Settled(sha=tip, at=now.isoformat(), waiting=tuple(left))
    if is_kept and (before is None or (before.sha, before.waiting) != (new.sha, new.waiting)):
        said = f"merges are settled up to {tip[:12]}" + (f"; {len(left)} wait" if left else "")
        Ledger(job.ports.ledger).write({settled_path(new.at, tip): new.canonical()}, said)


def last_settled(job: Job) -> Settled | None:
    """What the ledger says of it, None before the first time."""
    return Ledger(job.ports.ledger).settled()


def _settled(merge: Waiting, promote: Callable[[int, Job], None], job: Job, parts: Parts) -> bool:
    """Promote what a merge brought; whether nothing of it is left to do, or nothing that another try would change."""
    tried = Parts()
    tried.attempt(f"merge of #{merge.number}", lambda: promote(merge.number, job))
    parts.failed += tried.failed
    if tried.failed:
        return isinstance(tried.failed[0][1], UserError)  # the pull request says what somebody must do
    age = job.ports.clock.now() - datetime.fromisoformat(merge.merged_at)
    return age > PATIENCE or not _is_lost(merge, job)


def _brings(merge: Waiting, job: Job) -> bool:
    """Whether a merge is on the default branch as it is here, and brought a model that was evaluated."""
    head = head_of(merge.number, merge.head_sha, job)
    return head is not None and bool(head.models) and _is_on(merge.commit, job)


def _is_lost(merge: Waiting, job: Job) -> bool:
    """Whether a model that a merge brought is not where the policy brings it by itself."""
    head = head_of(merge.number, merge.head_sha, job)
    names = [name for name, one in policies_of(job).environments.environments.items() if one.auto_promote == "merge"]
    return any(
        brought_by(model, name, merge.commit, one, job) is None and overtaken_by(model, name, merge.commit, job) is None
        for name in names
        for model, one in (head.models.items() if head else ())
        if one.artifact_digest is not None
    )


def _is_on(commit: str, job: Job) -> bool:
    """False for a commit that is not here: it is newer than this checkout, and a later run sees it."""
    try:
        return job.ports.git.is_ancestor(commit, job.default_sha)
    except UserError:
        return False
