"""Evidence as the parts of the Evaluation record."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bot.evaluate.evidence import Evidence
from bot.evaluate.holm import holm
from bot.evaluate.metrics.interface import Metric
from bot.evaluate.reach import reach_of
from bot.evaluate.slices import worst_first
from bot.evaluate.words import interval
from bot.records import evaluation as record
from bot.records.measured import Difference, Gap, Sliced


def unit_of(metric: Metric, target: str) -> str:
    """The metric's unit, with the target's own where that is it."""
    return target if metric.unit == "target" else metric.unit


def metric_record(name: str, evidence: Evidence, target_unit: str) -> record.Metric:
    """One metric of the candidate."""
    metric, one = evidence.metrics[name], evidence.estimates[name]
    return record.Metric(
        name=name,
        value=one.value,
        low=one.low,
        high=one.high,
        confidence=evidence.confidence,
        unit=unit_of(metric, target_unit),
        greater_is_better=metric.greater_is_better,
        n=evidence.n_test,
    )


def comparison_record(
    metric: str, baseline: str, digest: str | None, one: Difference, n: int, n_differ: int, confidence: float
) -> record.Comparison:
    """A difference as it is kept."""
    reach = reach_of(one, confidence)
    return record.Comparison(
        metric=metric,
        baseline=baseline,
        baseline_artifact_digest=digest,
        candidate=one.candidate,
        champion=one.champion,
        difference=one.difference,
        low=one.low,
        high=one.high,
        confidence=confidence,
        n=n,
        n_differ=n_differ,
        smallest_detectable=reach.detectable if reach else None,
        method=one.method,
        p_value=one.p_value,
    )


def slice_records(evidence: Evidence, baseline: str | None, digest: str | None) -> tuple[record.SliceResult, ...]:
    """Slices of the primary metric, the worst first."""
    metric = evidence.metrics.get(evidence.primary)
    if metric is None:
        return ()
    ordered = worst_first(evidence.slices.get(evidence.primary, ()), metric, baseline)
    adjusted = _adjusted(ordered, baseline)
    return tuple(_slice_record(one, evidence, baseline, digest, adjusted.get(one.name)) for one in ordered)


def _adjusted(slices: list[Sliced], baseline: str | None) -> dict[str, float]:
    if baseline is None:
        return {}
    found = {one.name: one.differences[baseline].p_value for one in slices if baseline in one.differences}
    compared = {name: p_value for name, p_value in found.items() if p_value is not None}
    return dict(zip(compared, map(float, holm(np.array(list(compared.values())))), strict=True))


def _slice_record(
    one: Sliced, evidence: Evidence, baseline: str | None, digest: str | None, adjusted: float | None
) -> record.SliceResult:
    difference = one.differences.get(baseline) if baseline else None
    name, confidence = evidence.primary, evidence.confidence
    return record.SliceResult(
        slice=one.name,
        n=one.n,
        metric=name,
        value=one.estimate.value if one.estimate else None,
        low=one.estimate.low if one.estimate else None,
        high=one.estimate.high if one.estimate else None,
        comparison=None
        if difference is None or baseline is None
        else comparison_record(name, baseline, digest, difference, one.n, one.n_differ[baseline], confidence),
        note=one.note,
        column=one.column,
        p_adjusted=adjusted,
    )


def gap_sections(gaps: Sequence[Gap]) -> tuple[record.Section, ...]:
    """Gaps between groups, the widest first, as one section; none without groups."""
    if not gaps:
        return ()
    ordered = sorted(gaps, key=lambda gap: -gap.value)
    rows = tuple(
        (gap.column, gap.measure.replace("_", " "), interval(gap.value, gap.low, gap.high), " and ".join(gap.groups))
        for gap in ordered
    )
    head = ("Column", "Measure", "Gap", "Between")
    return (record.Section(id="group_gaps", heading="Gaps between groups", columns=head, rows=rows),)
