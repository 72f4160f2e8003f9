"""slice_floor: on every slice with enough rows the metric is at least a value (at most, where lower is better)."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.interface import Finding, undefined
from bot.evaluate.gates.slices import Asked, judge_slices
from bot.evaluate.reach import reach_of
from bot.specs.gates import SliceFloor


def judge(gate: SliceFloor, evidence: Evidence) -> Finding:
    """Three-valued over all slices, corrected for their number."""
    name = evidence.metric(gate.metric)
    if name not in evidence.metrics:
        return undefined(name)
    sign = 1.0 if evidence.metrics[name].greater_is_better else -1.0
    asked = [
        Asked(one, reach.turned(sign), sign * gate.value, one.estimate.value)
        for one in evidence.slices.get(name, ())
        if one.estimate
        and (reach := reach_of(one.estimate, evidence.confidence))
        and (not gate.columns or one.column in gate.columns)
    ]
    return judge_slices(asked, f"{name} on", "slice_below_floor", evidence)
