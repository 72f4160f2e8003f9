"""What is to be reproduced -> out/plan.json (the targets), the matrix of the trainings, and the digest of both.

A command and a dispatch name a head of a pull request; without one it is everything that is live. Each is trained on
another runner of policies/training.yaml than it was, where that offers another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase

from bot.errors import UserError
from bot.ledger import Ledger
from bot.pipeline.dispatched import REPRODUCTION, may_start
from bot.pipeline.handover import hand_over
from bot.pipeline.job import Job, number_of
from bot.pipeline.judge import head_of
from bot.promote.reading import live_releases
from bot.records.base import canonical_json
from bot.records.event import Dispatched, Event
from bot.records.ledger import Head
from bot.records.matrix import matrix
from bot.records.plan import Planned
from bot.records.reproduction import Target, Targets
from bot.specs.policies.training import FILE, TrainingPolicy, read_training_policy


def run(event: Event, job: Job) -> None:
    """Write the targets down. Raises UserError for a head, or a model, that has no evaluation."""
    policy = read_training_policy(job.ports.git.read(job.default_sha, FILE))
    is_asked = isinstance(event, Dispatched) and (event.sender.kind == "User" or "number" in event.inputs)
    found = _asked(event, policy, job) if is_asked else list(_live(policy, job))  # type: ignore[arg-type]
    jobs = matrix(_as_planned(one) for one in found)
    job.set_output("matrix", json.dumps(jobs))
    job.set_output("digest", hand_over(job.out, Targets(targets=tuple(found)).canonical(), canonical_json(jobs)))
    job.set_output("any", "true" if found else "false")
    for one in found:
        job.say(f"{one.model} of #{one.number}: {one.evaluation_digest} on {one.runner}")
    if not found:
        job.say("nothing is live; nothing to reproduce")


def _asked(event: Dispatched, policy: TrainingPolicy, job: Job) -> list[Target]:
    """The models of a head that are named, all without a name."""
    number = number_of(event)
    may_start(event, number, job, REPRODUCTION)
    sha = event.inputs.get("head") or job.ports.pull_requests.get(number).head_sha
    head = head_of(number, sha, job)
    if head is None:
        raise UserError(f"{sha[:40]} is no evaluated head of #{number}", hint="/retrain", code="evaluation_missing")
    names = event.inputs.get("models", "").split() or ["*"]
    found = [one for one in _targets(head, policy, job) if any(fnmatchcase(one.model, name) for name in names)]
    for name in names:
        if not any(fnmatchcase(one.model, name) for one in found):
            hint = f"Evaluated: {', '.join(one.model for one in _targets(head, policy, job)) or 'nothing'}."
            raise UserError(f"no evaluated model is called {name[:64]!r}", hint=hint, code="no_model")
    return found


def _live(policy: TrainingPolicy, job: Job) -> Iterator[Target]:
    """Each evaluation that is live somewhere, once, as far as it came by a pull request."""
    seen = set()
    for release in live_releases(job.ports):
        if release.pull_request is None or release.evaluation_digest in seen:
            continue
        for head in Ledger(job.ports.ledger).heads(release.pull_request).readable:
            one = head.models.get(release.model)
            if one is not None and one.evaluation_digest == release.evaluation_digest:
                seen.add(release.evaluation_digest)
                yield from (target for target in _targets(head, policy, job) if target.model == release.model)
                break


def _targets(head: Head, policy: TrainingPolicy, job: Job) -> Iterator[Target]:
    for name, one in sorted(head.models.items()):
        if one.evaluation_digest is None:
            continue
        planned = planned_at(head.number, head.head_sha, name, job)
        yield Target(
            model=name, number=head.number, head_sha=head.head_sha, inputs_digest=one.inputs_digest,
            evaluation_digest=one.evaluation_digest, runner=another(planned.runner, policy),
            timeout_minutes=planned.timeout_minutes,
        )  # fmt: skip


def planned_at(number: int, head_sha: str, model: str, job: Job) -> Planned:
    """The entry of a head's stored plan. Raises UserError (code `evaluation_missing`) without one."""
    made = Ledger(job.ports.ledger).plan(number, head_sha)
    for one in made.planned if made is not None else ():
        if one.model == model:
            return one
    raise UserError(f"the ledger holds no plan of {model} at {head_sha[:12]}", code="evaluation_missing")


def another(label: str, policy: TrainingPolicy) -> str:
    """The first other runner label that is offered by its own name, else the same: its next machine is a fresh one."""
    named = [one for one in policy.runners if not set(one) & set("*?[") and one != label]
    return named[0] if named else label


def _as_planned(one: Target) -> Planned:
    return Planned(
        model=one.key, inputs_digest=one.inputs_digest, base_inputs_digest=None, reasons=(), data_files=(),
        runner=one.runner, timeout_minutes=one.timeout_minutes, risk_tier="",
    )  # fmt: skip
