"""superiority: the metric is better than the baseline's by more than a margin."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.baseline import change, without_baseline
from bot.evaluate.gates.interface import Finding, settling, undefined, untold
from bot.evaluate.reach import reach_of
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
    reach = reach_of(difference, evidence.paired_confidence)
    if reach is None:
        return untold(f"{name} against {gate.against}", difference)
    sign = 1.0 if evidence.metrics[name].greater_is_better else -1.0
    better = reach.turned(sign)
    said, limits = f"{name} against {gate.against}: {change(difference)}", (difference.difference, sign * gate.margin)
    by = f"better by more than {show(gate.margin)}" if gate.margin else "better"
    if better.low > gate.margin:
        return Finding("pass", "gate_passed", f"{said}, {by}.", *limits)
    if better.high <= gate.margin:
        return Finding("fail", "superiority_refuted", f"{said}, not {by}.", *limits)
    needed = better.more_rows(evidence.n_test, gate.margin)
    sentence = f"{said}; whether it is {by} cannot be told. {settling(needed)}"
    return Finding("inconclusive", "evidence_insufficient", sentence, *limits, needed)
