"""superiority: the metric is better than the baseline's by more than a margin."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.baseline import change, without_baseline
from bot.evaluate.gates.interface import Finding, more_rows, settling, undefined
from bot.evaluate.words import show
from bot.specs.gates import Superiority


def judge(gate: Superiority, evidence: Evidence) -> Finding:
    """Pass: the lower bound of the paired difference, in the metric's good direction, is above the margin."""
    name = evidence.metric(gate.metric)
    absent = without_baseline(gate.against, gate.first, evidence)
    if absent:
        return absent
    difference = evidence.differences.get((name, gate.against))
    if difference is None:
        return undefined(name)
    sign = 1.0 if evidence.metrics[name].greater_is_better else -1.0
    low, high = sorted((sign * difference.low, sign * difference.high))
    said, limits = f"{name} against {gate.against}: {change(difference)}", (difference.difference, sign * gate.margin)
    by = f"better by more than {show(gate.margin)}" if gate.margin else "better"
    if low > gate.margin:
        return Finding("pass", "gate_passed", f"{said}, {by}.", *limits)
    if high <= gate.margin:
        return Finding("fail", "superiority_refuted", f"{said}, not {by}.", *limits)
    distance = sign * difference.difference - gate.margin
    needed = more_rows(evidence.n_test, distance, difference.error, evidence.confidence)
    sentence = f"{said}; whether it is {by} cannot be told. {settling(needed)}"
    return Finding("inconclusive", "evidence_insufficient", sentence, *limits, needed)
