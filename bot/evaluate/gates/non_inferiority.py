"""non_inferiority: the metric is worse than the baseline's by less than a margin."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.baseline import change, without_baseline
from bot.evaluate.gates.interface import Finding, settling, undefined, untold
from bot.evaluate.reach import reach_of
from bot.evaluate.words import show
from bot.specs.gates import NonInferiority


def judge(gate: NonInferiority, evidence: Evidence) -> Finding:
    """Pass: the lower bound of the paired difference, in the metric's good direction, is above minus the margin."""
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
    margin = gate.margin if gate.margin is not None else (gate.margin_share or 0.0) * abs(difference.champion)
    sign = 1.0 if evidence.metrics[name].greater_is_better else -1.0
    verdict = reach.turned(sign).verdict(-margin)
    said = f"{name} against {gate.against}: {change(difference)}"
    limits = (difference.difference, -sign * margin)
    if verdict == "pass":
        return Finding("pass", "gate_passed", f"{said}, not worse by {show(margin)} or more.", *limits)
    if verdict == "fail":
        return Finding("fail", "metric_regressed", f"{said}, worse by more than {show(margin)}.", *limits)
    needed = reach.more_rows(evidence.n_test, -sign * margin)
    sentence = f"{said}; a loss of more than {show(margin)} cannot be ruled out. {settling(needed)}"
    return Finding("inconclusive", "evidence_insufficient", sentence, *limits, needed)
