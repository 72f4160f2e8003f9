"""Merge group -> statuses: every model's inputs at the group commit were evaluated and approved as they are."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from bot.errors import MlbotError, Parts, UserError
from bot.ledger import Ledger
from bot.pipeline.job import Job
from bot.plan.step import plan
from bot.records.decision import Decision
from bot.records.event import MergeGroupRequested
from bot.report.status import EVALUATION, VERDICT
from bot.words import shown


def verify_group(event: MergeGroupRequested, job: Job) -> None:
    """Only verifies: what two pull requests change together was evaluated by neither, and needs an evaluation.

    Everything is looked at that is not on the default branch yet, groups before this one included. A group that cannot
    be verified gets an error that says why, so that the queue does not wait for it.
    """
    try:
        missing = _missing(event, job)
    except MlbotError as error:
        _show(event, "error", f"Cannot be judged: {error.message}", job)
        raise
    said = f"no approved evaluation of {', '.join(missing)}" if missing else "every model was evaluated and approved"
    _show(event, "failure" if missing else "success", said, job)
    job.say(said)


def _missing(event: MergeGroupRequested, job: Job) -> list[str]:
    """Models of the group that nobody approved as they are in it."""
    git = job.ports.git
    git.fetch(event.head_sha)
    base = git.merge_base(job.default_sha, event.head_sha)
    if base is None:
        raise UserError(f"{event.head_sha} did not grow from the default branch", code="head_missing")
    made = plan(base, event.head_sha, job.ports)
    approved = _approved({one.inputs_digest for one in made.planned}, job)
    missing = [one.model for one in made.planned if one.inputs_digest not in approved]
    return missing + [one.model for one in made.invalid]


def _show(event: MergeGroupRequested, state: str, said: str, job: Job) -> None:
    """Both statuses; one that is refused does not keep the other back."""
    parts, set_status = Parts(), job.ports.conversation.set_status
    for context in (VERDICT, EVALUATION):
        parts.attempt(context, partial(set_status, event.head_sha, context, state, shown(said), job.ports.run.url))
    parts.finish()


def _approved(digests: Collection[str], job: Job) -> set[str]:
    """Those of the inputs digests that the newest merge decision on some pull request approves.

    A decision that was overtaken, by a hold or a withdrawn approval, approves nothing any more.
    """
    newest: dict[int, Decision] = {}
    for records in Ledger(job.ports.ledger).decisions_that_hold(digests).values():
        for one in records.whole:
            if one.subject == "merge" and _rank(one) > _rank(newest.get(one.number)):
                newest[one.number] = one
    return {m.inputs_digest for one in newest.values() if one.status == "approved" for m in one.models}


def _rank(decision: Decision | None) -> tuple[str, bool]:
    """Of two decisions in one second the one that does not approve counts."""
    return (decision.decided_at, decision.status != "approved") if decision else ("", False)
