"""train_test_overlap: few of the test rows are also among the training rows."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.interface import Finding
from bot.specs.gates import TrainTestOverlap


def judge(gate: TrainTestOverlap, evidence: Evidence) -> Finding:
    """Rows are the same when all inputs of the model are equal; the share is counted, so it has no interval."""
    share = evidence.overlap
    if share is None:
        return Finding("inconclusive", "overlap_unknown", "Overlap of training and test rows was not looked for.")
    said = f"{share:.2%} of the test rows have the very inputs of a training row"
    if share <= gate.value:
        return Finding("pass", "gate_passed", f"{said}, at most {gate.value:.2%}.", share, gate.value)
    return Finding("fail", "overlap_exceeded", f"{said}; it must be at most {gate.value:.2%}.", share, gate.value)
