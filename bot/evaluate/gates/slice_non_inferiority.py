"""slice_non_inferiority: on every slice with enough rows the metric is worse than a baseline by less than a margin."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.baseline import without_baseline
from bot.evaluate.gates.interface import Finding, undefined
from bot.evaluate.gates.slices import Asked, judge_slices
from bot.evaluate.reach import reach_of
from bot.specs.gates import SliceNonInferiority


def judge(gate: SliceNonInferiority, evidence: Evidence) -> Finding:
    """Three-valued over all slices, corrected for their number."""
    absent = without_baseline(gate.against, gate.first, evidence)
    if absent:
        return absent
    name = evidence.metric(gate.metric)
    if name not in evidence.metrics:
        return undefined(name)
    sign = 1.0 if evidence.metrics[name].greater_is_better else -1.0
    asked = [
        Asked(one, reach.turned(sign), -gate.margin, difference.difference)
        for one in evidence.slices.get(name, ())
        if (difference := one.differences.get(gate.against))
        and (reach := reach_of(difference, evidence.confidence))
        and (not gate.columns or one.column in gate.columns)
    ]
    return judge_slices(asked, f"{name} against {gate.against} on", "slice_regressed", evidence)
