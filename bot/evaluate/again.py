"""A stored Evaluation and the gates of now -> those for which it holds no numbers; all others can be judged again."""

from __future__ import annotations

from bot.evaluate.metrics import canonical
from bot.records.evaluation import Evaluation
from bot.records.measured import Measured
from bot.specs.gates import Gate, Gates, GroupGap, NonInferiority, SliceGate, Superiority, settings_digest
from bot.specs.gates import Measured as MetricGate


def unmeasured(evaluation: Evaluation, gates: Gates) -> tuple[str, ...]:
    """Ids of gates of now, also those of the model's spec, that ask for what was not measured, or not in that way."""
    asked = gates.for_model(evaluation.model, evaluation.training.task)
    measured = evaluation.measured
    if measured is None:
        return tuple(placed.gate.id for placed in asked)
    is_other = measured.settings != settings_digest(gates.policy)
    primary = evaluation.primary_metric
    return tuple(
        placed.gate.id
        for placed in asked
        if (is_other and isinstance(placed.gate, MetricGate | GroupGap))
        or not _has_numbers(placed.gate, measured, primary)
    )


def _has_numbers(gate: Gate, measured: Measured, primary: str) -> bool:
    """Whatever the gates are, all is looked at but metrics: of these the ones that somebody names."""
    if not isinstance(gate, MetricGate):
        return True
    name = primary if gate.metric == "primary" else canonical(gate.metric)
    if isinstance(gate, SliceGate):
        return name in measured.slices
    if isinstance(gate, NonInferiority | Superiority):
        return name in measured.differences or gate.against not in measured.baselines
    return name in measured.metrics
