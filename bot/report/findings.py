"""What the numbers say: better, worse or not to be told, and for whom; one answer for every format."""

from __future__ import annotations

from typing import Literal

from bot.records.evaluation import Comparison, Evaluation, GateResult, Metric, SliceResult
from bot.records.plan import Invalid, Planned
from bot.records.report import Report

Effect = Literal["better", "worse", "unclear", "same"]
State = Literal["invalid", "no_data", "failed", "fail", "inconclusive", "held", "running", "pass"]
ORDER: tuple[State, ...] = ("invalid", "no_data", "failed", "fail", "inconclusive", "held", "running", "pass")
SIMPLE = ("dummy", "linear")  # baselines that nobody deployed
LIVE = "production"


def metric(evaluation: Evaluation, name: str) -> Metric | None:
    """The candidate's metric of this name."""
    return next((one for one in evaluation.metrics if one.name == name), None)


def is_greater_better(evaluation: Evaluation, name: str) -> bool:
    """The metric's direction; greater is better when it was not measured."""
    found = metric(evaluation, name)
    return found.greater_is_better if found else True


def effect(comparison: Comparison, greater_is_better: bool) -> Effect:
    """Which side of no difference the interval lies on; `same` when the two predict alike on every row."""
    if comparison.n_differ == 0 and comparison.difference == 0:
        return "same"
    if comparison.low is None or comparison.high is None:
        return "unclear"
    if comparison.low > 0 or comparison.high < 0:
        return "better" if (comparison.low > 0) == greater_is_better else "worse"
    return "unclear"


def champion(evaluation: Evaluation, name: str | None = None) -> Comparison | None:
    """The comparison with what is deployed, production before other environments; None for a first model."""
    wanted = name or evaluation.primary_metric
    found = [one for one in evaluation.comparisons if one.metric == wanted and one.baseline not in SIMPLE]
    return next((one for one in found if one.baseline == LIVE), found[0] if found else None)


def reference(evaluation: Evaluation) -> Comparison | None:
    """The comparison with the strongest of the simple baselines; None when there is none."""
    found = [one for one in evaluation.comparisons if one.metric == evaluation.primary_metric]
    return next((one for name in ("linear", "dummy") for one in found if one.baseline == name), None)


def unscored_baseline(evaluation: Evaluation) -> str | None:
    """An environment whose model exists and could not be compared with, production first; None when there is none."""
    found = [one.environment for one in evaluation.missing_baselines if one.code == "not_scored"]
    return LIVE if LIVE in found else found[0] if found else None


def answer(evaluation: Evaluation) -> Effect | None:
    """Is it better than what is deployed? None when nothing is."""
    found = champion(evaluation)
    return effect(found, is_greater_better(evaluation, found.metric)) if found else None


def slice_effect(evaluation: Evaluation, one: SliceResult) -> Effect | None:
    """The slice's answer, after correction for the number of slices where there is a corrected p-value."""
    if one.comparison is None:
        return None
    found = effect(one.comparison, is_greater_better(evaluation, one.metric))
    corrected_away = one.p_adjusted is not None and one.p_adjusted > 1 - one.comparison.confidence
    return "unclear" if corrected_away and found in ("better", "worse") else found


def slices_worst_first(evaluation: Evaluation) -> list[SliceResult]:
    """Largest harm first; slices that could not be compared last, by their own value, then by name."""

    def key(one: SliceResult) -> tuple[int, float, str]:
        sign = 1 if is_greater_better(evaluation, one.metric) else -1
        if one.comparison is not None:
            return 0, sign * one.comparison.difference, one.slice
        return (1, sign * one.value, one.slice) if one.value is not None else (2, 0.0, one.slice)

    return sorted(evaluation.slices, key=key)


def worse_slices(evaluation: Evaluation) -> list[SliceResult]:
    """Slices on which the candidate is clearly worse than what is deployed, worst first."""
    return [one for one in slices_worst_first(evaluation) if slice_effect(evaluation, one) == "worse"]


def blocking_gates(evaluation: Evaluation) -> list[GateResult]:
    """Gates that hold the change up: failed ones first, then those that could not tell."""
    found = [gate for gate in evaluation.gates if gate.blocks and gate.verdict != "pass"]
    return sorted(found, key=lambda gate: gate.verdict != "fail")


def state(report: Report, model: str) -> State:
    """Where a model that the change affects stands."""
    if model in report.failures:
        return "held" if report.failures[model].held else "failed"
    if model in report.evaluations:
        return report.evaluations[model].verdict
    entries = report.plan.entries if report.plan else ()
    broken = next((one for one in entries if isinstance(one, Invalid) and one.model == model), None)
    return "running" if broken is None else "no_data" if broken.is_about_data else "invalid"


def affected(report: Report) -> list[str]:
    """Names of the models that the change affects or breaks, those that need attention first."""
    planned = [one.model for one in report.plan.entries if isinstance(one, Planned | Invalid)] if report.plan else []
    names = dict.fromkeys([*planned, *report.evaluations, *report.failures])
    return sorted(names, key=lambda name: (ORDER.index(state(report, name)), *_attention(report, name), name))


def _attention(report: Report, model: str) -> tuple[int]:
    evaluation = report.evaluations.get(model)
    if evaluation is None:
        return (0,)
    found = answer(evaluation)
    return (0 if found == "worse" else 1 if worse_slices(evaluation) else 3 if found == "better" else 2,)
