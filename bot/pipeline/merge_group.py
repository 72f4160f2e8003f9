"""Merge group -> statuses: every model's inputs at the group commit were evaluated and approved as they are."""

from __future__ import annotations

from bot.pipeline.job import Job
from bot.plan.step import plan
from bot.records.decision import Decision
from bot.records.event import MergeGroupRequested


def verify_group(event: MergeGroupRequested, job: Job) -> None:
    """Only verifies: what two pull requests change together was evaluated by neither, and needs an evaluation."""
    job.ports.git.fetch(event.head_sha)
    made = plan(event.base_sha, event.head_sha, job.ports)
    approved = _approved(job)
    missing = [one.model for one in made.planned if one.inputs_digest not in approved]
    missing += [one.model for one in made.invalid]
    state = "failure" if missing else "success"
    said = f"no approved evaluation of {', '.join(missing)}" if missing else "every model was evaluated and approved"
    for context in ("mlbot/evaluation", "mlbot/verdict"):
        job.ports.conversation.set_status(event.head_sha, context, state, said, job.ports.run.url)
    job.say(said)


def _approved(job: Job) -> set[str]:
    """Inputs digests that a merge decision in the ledger approved."""
    found = set()
    for path in job.ports.ledger.paths("decisions/"):
        decision = Decision.parse(job.ports.ledger.get(path) or b"", source=path)
        if decision.subject == "merge" and decision.status == "approved":
            found |= {one.inputs_digest for one in decision.models}
    return found
