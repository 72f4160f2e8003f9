"""floor: the metric is at least a value."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.interface import Finding, settling, undefined, untold
from bot.evaluate.reach import reach_of
from bot.evaluate.words import interval, show
from bot.specs.gates import Ceiling, Floor


def judge(gate: Floor, evidence: Evidence) -> Finding:
    """Pass: the whole interval is at or above the value."""
    return bounded(gate, evidence, sign=1.0)


def bounded(gate: Floor | Ceiling, evidence: Evidence, sign: float) -> Finding:
    """A floor (`sign` 1) or a ceiling (-1) on a metric of the candidate."""
    name = evidence.metric(gate.metric)
    estimate = evidence.estimates.get(name)
    if estimate is None:
        return undefined(name)
    reach = reach_of(estimate, evidence.confidence)
    if reach is None:
        return untold(name, estimate)
    verdict = reach.turned(sign).verdict(sign * gate.value)
    side = "at least" if sign > 0 else "at most"
    reached = interval(estimate.value, estimate.low, estimate.high)
    limits = (estimate.value, gate.value)
    if verdict == "pass":
        return Finding("pass", "gate_passed", f"{name} is {reached}, {side} {show(gate.value)}.", *limits)
    if verdict == "fail":
        code = "metric_below_floor" if sign > 0 else "metric_above_ceiling"
        return Finding("fail", code, f"{name} is {reached}; it must be {side} {show(gate.value)}.", *limits)
    needed = reach.more_rows(evidence.n_test, gate.value)
    sentence = f"{name} is {reached}; whether it is {side} {show(gate.value)} cannot be told. {settling(needed)}"
    return Finding("inconclusive", "evidence_insufficient", sentence, *limits, needed)
