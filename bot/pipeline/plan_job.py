"""Pull request -> out/plan.json, the training matrix, and the digest of both."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

from bot.errors import UserError
from bot.pipeline.dispatched import may_start
from bot.pipeline.handover import hand_over
from bot.pipeline.job import Job, at_head, number_of
from bot.pipeline.reuse import is_current
from bot.plan.step import plan
from bot.ports import PullRequest
from bot.records.base import canonical_json
from bot.records.event import Dispatched, Event, PullRequestChanged
from bot.records.matrix import matrix
from bot.records.plan import Plan, Planned


def run(event: Event, job: Job) -> None:
    """Plan the live head; nothing is trained for a draft, a stale head, or a fork's head that nobody let in."""
    number, head, asked = _asked(event)
    if isinstance(event, Dispatched):
        may_start(event, number, job)
    found = job.ports.pull_requests.get(number)
    made = _plan(found, job)
    reason = _refusal(found, head, is_dispatched=isinstance(event, Dispatched))
    _known(asked, made)
    chosen = [] if reason else [one for one in made.planned if _is_wanted(one, asked, job, made)]
    jobs = matrix(chosen)
    job.set_output("matrix", json.dumps(jobs))
    job.set_output("digest", hand_over(job.out, made.canonical(), canonical_json(jobs)))
    job.set_output("any", "true" if chosen else "false")
    for one in made.planned:
        again = one not in chosen and not reason
        why = "; ".join(reason.sentence for reason in one.reasons)
        job.say(f"{one.model}: {'reported again, same inputs digest' if again else why}")
    job.say(reason or f"{len(chosen)} of {made.n_models} models to train or measure")


def _asked(event: Event) -> tuple[int, str | None, tuple[str, ...]]:
    number = number_of(event)
    if isinstance(event, Dispatched):
        return number, event.inputs.get("head") or None, tuple(event.inputs.get("models", "").split())
    return number, event.head_sha if isinstance(event, PullRequestChanged) else None, ()


def _known(asked: tuple[str, ...], made: Plan) -> None:
    """Raises UserError (code `no_model`) for a name or pattern that fits no model of the plan."""
    for name in asked:
        if name != "*" and not any(fnmatchcase(one.model, name) for one in made.planned):
            hint = f"Models that this change affects: {', '.join(one.model for one in made.planned[:20]) or 'none'}."
            raise UserError(f"this change affects no model called {name[:64]!r}", hint=hint, code="no_model")


def _plan(found: PullRequest, job: Job) -> Plan:
    inside = at_head(job, found.number, found.head_sha)
    return plan(job.default_sha, found.head_sha, inside.ports)


def _refusal(found: PullRequest, head: str | None, *, is_dispatched: bool) -> str:
    if found.state != "open":
        return f"#{found.number} is closed"
    if head is not None and head != found.head_sha:
        return f"the head is {found.head_sha} by now; its own run evaluates it"
    if found.draft and not is_dispatched:
        return f"#{found.number} is a draft"
    if found.from_fork and not (is_dispatched and head):
        return f"#{found.number} comes from a fork: somebody who may writes /retrain {found.head_sha}"
    return ""


def _is_wanted(one: Planned, asked: tuple[str, ...], job: Job, made: Plan) -> bool:
    if asked and not any(fnmatchcase(one.model, name) for name in asked):
        return False
    return bool(asked) or not is_current(one, made.head_sha, job)
