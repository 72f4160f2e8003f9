"""A stored evaluation when policies/gates.yaml has changed: judged again by the gates of now, from its numbers."""

from __future__ import annotations

from bot.adapters.extras import bring
from bot.errors import UserError
from bot.pipeline.asked import asked_of, known_of
from bot.pipeline.job import Job
from bot.pipeline.reuse import GATES, gates_digest
from bot.records.evaluation import Evaluation


def judged_again(evaluation: Evaluation, head: str, job: Job) -> tuple[Evaluation, tuple[str, ...]]:
    """The evaluation with the gates of now, and the ids of those for which it holds no numbers: then as it was.

    Nothing is done while the gates are those that it was judged by. `head` is where the model's spec is read; gates
    that cannot be read are gates without numbers.
    """
    if evaluation.policy_digest == gates_digest(job):
        return evaluation, ()
    bring("numpy")  # a job that judges does not install it
    from bot.evaluate.again import unmeasured  # numbers are slow to import, and gates rarely change
    from bot.evaluate.judged import judged

    try:
        asked = asked_of(evaluation.model, head, job)
        missing = unmeasured(evaluation, asked.gates)
        if missing:
            return evaluation, missing
        sketch = evaluation.measured.rows_sketch if evaluation.measured else ()
        known = known_of(evaluation.training, asked, job.ports, sketch)
        return judged(evaluation, asked.spec, asked.gates, known), ()
    except UserError as error:
        return evaluation, (str(error.place or GATES),)
