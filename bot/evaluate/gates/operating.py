"""operating: latency, size, memory or fit time is at most a value, or at most so many times a deployed model's."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.baseline import without_baseline
from bot.evaluate.gates.interface import Finding
from bot.evaluate.words import plain, show
from bot.specs.gates import Operating


def judge(gate: Operating, evidence: Evidence) -> Finding:
    """These are measured once and have no interval, so the verdict is pass or fail when both sides are known."""
    observed = evidence.operating.get(gate.name)
    limit, what = gate.value, ""
    if gate.against is not None and gate.times is not None:
        absent = without_baseline(gate.against, "pass", evidence)
        if absent:
            return absent
        theirs = evidence.baseline_operating.get(gate.against, {}).get(gate.name)
        limit = None if theirs is None else theirs * gate.times
        what = f", {show(gate.times)} times that of {gate.against}"
    if observed is None or limit is None:
        return Finding("inconclusive", "operating_unknown", f"{gate.name} was not measured.", observed, limit)
    if observed <= limit:
        return Finding(
            "pass", "gate_passed", f"{gate.name} is {plain(observed)}, at most {plain(limit)}{what}.", observed, limit
        )
    sentence = f"{gate.name} is {plain(observed)}; it must be at most {plain(limit)}{what}."
    return Finding("fail", "operating_exceeded", sentence, observed, limit)
