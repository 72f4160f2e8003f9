"""group_gap: between the groups of a column, rates of a binary model differ by at most a value."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.interface import Finding, settling
from bot.evaluate.reach import reach_of
from bot.evaluate.words import interval, show
from bot.specs.gates import GroupGap


def judge(gate: GroupGap, evidence: Evidence) -> Finding:
    """Pass: the whole interval of the gap is at or below the value."""
    gap = evidence.gaps.get((gate.column, gate.measure))
    if gap is None:
        sentence = f"{gate.column} is not a slice column with at least two groups of enough rows."
        return Finding("inconclusive", "group_column_missing", sentence, threshold=gate.value)
    said = f"{gate.measure} by {gate.column} is {interval(gap.value, gap.low, gap.high)} ({' and '.join(gap.groups)})"
    reach = reach_of(gap, evidence.confidence)
    assert reach is not None
    verdict = reach.turned(-1.0).verdict(-gate.value)
    limits = (gap.value, gate.value)
    if verdict == "pass":
        return Finding("pass", "gate_passed", f"{said}, at most {show(gate.value)}.", *limits)
    if verdict == "fail":
        return Finding("fail", "group_gap_exceeded", f"{said}; it must be at most {show(gate.value)}.", *limits)
    needed = reach.more_rows(evidence.n_test, gate.value)
    sentence = f"{said}; whether it is at most {show(gate.value)} cannot be told. {settling(needed)}"
    return Finding("inconclusive", "evidence_insufficient", sentence, *limits, needed)
