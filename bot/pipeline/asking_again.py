"""A release that waits for nothing but a reproduction -> the run that makes it, asked for by the bot once a day."""

from __future__ import annotations

from collections.abc import Iterator

from bot.ledger import Ledger
from bot.pipeline.dispatched import REPRODUCTION
from bot.pipeline.job import Job
from bot.pipeline.judge import Judged
from bot.records.base import canonical_json
from bot.records.decision import Node
from bot.records.ledger import reproducing_path

MISSING = "reproduction_missing"


def ask_again(judged: Judged, job: Job) -> bool:
    """Whether another run was asked for: the promotion lacks one, and whatever people must do is done."""
    subject = judged.facts.pull_request
    if judged.decision.status == "approved" or {one.reason_code for one in _open(judged.decision.tree)} != {MISSING}:
        return False
    day = job.ports.clock.now().date().isoformat()
    ledger = Ledger(job.ports.ledger)
    if ledger.is_reproduction_asked(subject.number, subject.head_sha, day):
        return False
    job.ports.conversation.dispatch(REPRODUCTION, {"number": str(subject.number)})
    path, said = reproducing_path(subject.number, subject.head_sha, day), canonical_json({"number": subject.number})
    ledger.add({path: said}, f"reproduce #{subject.number} at {subject.head_sha[:12]}")
    return True


def _open(node: Node) -> Iterator[Node]:
    """The leaves that are not met."""
    if node.status not in ("approved", "not_applicable"):
        if not node.children:
            yield node
        for child in node.children:
            yield from _open(child)
