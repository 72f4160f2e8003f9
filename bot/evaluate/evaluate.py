"""Labels and predictions in, Evaluation out: pure, on arrays."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.errors import Place
from bot.evaluate import gates as gate_list
from bot.evaluate.budget import budget_gate, budgets
from bot.evaluate.calibration import calibration, confusion
from bot.evaluate.evidence import Evidence, Gap, Sliced
from bot.evaluate.fresh import fresh_sections
from bot.evaluate.gaps import gaps
from bot.evaluate.interval import compare, estimate
from bot.evaluate.ladder import ladder
from bot.evaluate.metrics import canonical, metric_of, metrics_for
from bot.evaluate.metrics.interface import Metric
from bot.evaluate.records import comparison_record, gap_sections, metric_record, slice_records
from bot.evaluate.resample import Resampler, Settings
from bot.evaluate.results import Difference, Estimate
from bot.evaluate.rows import Mask, Rows, Scores, differing
from bot.evaluate.slices import CROSS, measure
from bot.evaluate.verdict import verdict_of
from bot.records.evaluation import Budget, Comparison, Evaluation, GateResult, MissingBaseline, Section
from bot.records.training import Training
from bot.specs.gates import Gates, PlacedGate
from bot.specs.model import ModelSpec

SIMPLE = ("dummy", "linear")


@dataclass(frozen=True)
class Baseline:
    """A model to compare with, scored on the candidate's test rows. The digest is None for `dummy` and `linear`."""

    scores: Scores
    artifact_digest: str | None = None
    operating: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What cannot be seen in the arrays; each None when it is not known.

    `contract`: the data fit their schema. `newest_age_days`: age of the newest row at `judged_at`. `overlap`: share of
    test rows whose inputs are those of a training row.
    """

    contract: bool | None = None
    newest_age_days: float | None = None
    judged_at: datetime | None = None
    overlap: float | None = None
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Case:
    """A candidate on its test rows, with everything that it is judged against.

    `baselines` by environment name, `dummy` or `linear`; `missing` are the environments without one. `uses` counts
    earlier evaluations of other inputs on these test rows, by metric; `best` is the best value released among them, and
    `passed` are the ids of gates that one of them passed.
    `fresh` (n,) are the test rows that the base commit's data did not hold, None without a base.
    """

    spec: ModelSpec
    training: Training
    rows: Rows
    candidate: Scores
    baselines: Mapping[str, Baseline]
    missing: tuple[MissingBaseline, ...]
    gates: Gates
    policy_digest: str
    uses: Mapping[str, int] = field(default_factory=dict)
    best: Mapping[str, float] = field(default_factory=dict)
    passed: Collection[str] = ()
    operating: Mapping[str, float] = field(default_factory=dict)
    facts: Facts = Facts()
    run: Mapping[str, Any] = field(default_factory=dict)
    fresh: Mask | None = None


def evaluate(case: Case) -> Evaluation:
    """Metrics with intervals, paired comparisons, slices and gates. Raises UserError for an unknown metric name."""
    asked = case.gates.for_model(case.training.model, case.training.task)
    metrics = declared_metrics(case, asked)
    policy = case.gates.policy
    resampler = Resampler(case.rows, Settings(policy.confidence, policy.resamples))
    evidence = gather(case, metrics, asked, resampler)
    results = [gate_list.judge(placed, evidence, policy.inconclusive) for placed in asked]
    results += [budget_gate(one, _budget_place(case.gates)) for one in evidence.budget if one.allowed is not None]
    found = _record(case, evidence, results)
    primary = metrics.get(evidence.primary)
    more = fresh_sections(case, primary, resampler) if primary is not None else ()
    return found.model_copy(update={"sections": (*more, *found.sections)}) if more else found


def declared_metrics(case: Case, asked: tuple[PlacedGate, ...]) -> dict[str, Metric]:
    """By name: those of the spec, of its task and of the gates; without those that need absent probabilities."""
    spec, task = case.spec, case.training.task
    names = (*spec.metrics.names, *metrics_for(task), *_asked_metrics(case, asked))
    found: dict[str, Metric] = {}
    for name in dict.fromkeys(names):
        metric = metric_of(name, costs=_costs(case))
        scored = case.candidate.probabilities is not None or not metric.needs_probabilities
        if task in metric.tasks and scored:
            found[metric.name] = metric
    return found


def _asked_metrics(case: Case, asked: Sequence[PlacedGate]) -> list[str]:
    """Names of the metrics that gates look at."""
    names = [str(getattr(placed.gate, "metric", "primary")) for placed in asked]
    return [primary_metric(case) if name == "primary" else canonical(name) for name in names]


def primary_metric(case: Case) -> str:
    """Its own name, also when the spec has scikit-learn's."""
    return canonical(case.spec.metrics.primary)


def _by_slice(placed: PlacedGate) -> bool:
    return placed.gate.kind in ("slice_floor", "slice_non_inferiority")


def _costs(case: Case) -> tuple[tuple[float, ...], ...] | None:
    declared, classes = case.spec.metrics.cost, case.rows.classes
    if declared is None or classes is None:
        return None
    return tuple(tuple(declared.get(true, {}).get(said, 0.0) for said in classes) for true in classes)


def gather(case: Case, metrics: dict[str, Metric], asked: tuple[PlacedGate, ...], resampler: Resampler) -> Evidence:
    """Everything that a gate may look at."""
    spec, rows = case.spec, case.rows
    estimates = {name: estimate(metric, case.candidate, resampler) for name, metric in metrics.items()}
    wanted = dict.fromkeys([*map(canonical, spec.metrics.names), *_asked_metrics(case, asked)])
    sliced = dict.fromkeys([primary_metric(case), *_asked_metrics(case, [one for one in asked if _by_slice(one)])])
    differences = _differences(case, {name: metrics[name] for name in wanted if name in metrics}, resampler)
    policy = case.gates.policy
    return Evidence(
        training=case.training,
        primary=primary_metric(case),
        n_test=len(rows),
        metrics=metrics,
        estimates={name: one for name, one in estimates.items() if math.isfinite(one.value)},
        differences=differences,
        missing={one.environment: one for one in case.missing},
        slices=_slices(case, {name: metrics[name] for name in sliced if name in metrics}, resampler),
        gaps=_gaps(case, resampler),
        operating=case.operating,
        baseline_operating={name: one.operating for name, one in case.baselines.items()},
        accuracies=_accuracies(case),
        contract=case.facts.contract,
        newest_age_days=case.facts.newest_age_days,
        judged_at=case.facts.judged_at,
        overlap=case.facts.overlap,
        budget=_budget(case, metrics, differences, estimates),
        passed=case.passed,
        confidence=policy.confidence,
        correction=policy.slices.correction,
    )


def _budget(
    case: Case,
    metrics: Mapping[str, Metric],
    differences: Mapping[tuple[str, str], Difference],
    estimates: Mapping[str, Estimate],
) -> tuple[Budget, ...]:
    """Uses of the primary metric's test rows; with the policy's ladder also whether this result may be shown."""
    policy, name = case.gates.policy.budget, primary_metric(case)
    (spent,) = budgets(case.training.test_rows_digest, [name], case.uses, policy)
    if policy is None or not policy.ladder or name not in estimates:
        return (spent,)
    shown = comparison_baseline(case)
    paired = differences.get((name, shown)) if shown else None
    step = paired.error if paired and paired.error else estimates[name].error or 0.0
    best, better = case.best.get(name), metrics[name].greater_is_better
    released = ladder(estimates[name].value, best, step, greater_is_better=better)
    return (spent.model_copy(update={"ladder": released, "best": best}),)


def _differences(case: Case, metrics: Mapping[str, Metric], resampler: Resampler) -> dict[tuple[str, str], Difference]:
    found = {
        (name, key): compare(metric, case.candidate, baseline.scores, resampler)
        for key, baseline in case.baselines.items()
        for name, metric in metrics.items()
        if baseline.scores.probabilities is not None or not metric.needs_probabilities
    }
    return {key: one for key, one in found.items() if math.isfinite(one.difference)}


def _slices(case: Case, metrics: Mapping[str, Metric], resampler: Resampler) -> dict[str, tuple[Sliced, ...]]:
    environments = {key: one.scores for key, one in case.baselines.items() if key not in SIMPLE}
    policy = case.gates.policy.slices
    found = {}
    for name, metric in metrics.items():
        comparable = {
            key: scores
            for key, scores in environments.items()
            if scores.probabilities is not None or not metric.needs_probabilities
        }
        found[name] = measure(metric, case.candidate, comparable, resampler, policy)
    return found


def _gaps(case: Case, resampler: Resampler) -> dict[tuple[str, str], Gap]:
    minimum = case.gates.policy.slices.minimum_rows
    columns = [column for column in case.rows.slices if CROSS not in column]
    found = [gap for column in columns for gap in gaps(column, case.candidate, resampler, minimum)]
    return {(gap.column, gap.measure): gap for gap in found}


def _accuracies(case: Case) -> dict[str, tuple[float, float, float]]:
    """n, o and d by baseline; under the empty name n alone, with 0 for the others."""
    if case.rows.classes is None:
        return {}
    truth = case.rows.truth
    right = float((case.candidate.predicted == truth).mean())
    found = {"": (right, 0.0, 0.0)}
    for key, baseline in case.baselines.items():
        theirs = float((baseline.scores.predicted == truth).mean())
        found[key] = (right, theirs, float(differing(case.candidate, baseline.scores).mean()))
    return found


def _budget_place(gates: Gates) -> Place:
    return gates.budget_place or Place("policies/gates.yaml")


def _record(case: Case, evidence: Evidence, results: list[GateResult]) -> Evaluation:
    shown = comparison_baseline(case)
    return Evaluation(
        model=case.training.model,
        primary_metric=evidence.primary,
        training=case.training,
        n_test=evidence.n_test,
        metrics=tuple(metric_record(name, evidence, case.rows.unit) for name in evidence.estimates),
        comparisons=_comparisons(case, evidence),
        missing_baselines=case.missing,
        slices=slice_records(evidence, shown, case.baselines[shown].artifact_digest if shown else None),
        gates=tuple(results),
        verdict=verdict_of(results),
        budget=evidence.budget,
        operating={name: float(value) for name, value in case.operating.items()},
        confusion=confusion(case.rows, case.candidate),
        calibration=calibration(case.rows, case.candidate),
        sections=(*case.facts.sections, *gap_sections(evidence)),
        policy_digest=case.policy_digest,
        run=dict(case.run),
    )


def _comparisons(case: Case, evidence: Evidence) -> tuple[Comparison, ...]:
    n, confidence = evidence.n_test, evidence.confidence
    n_differ = {key: int(differing(case.candidate, one.scores).sum()) for key, one in case.baselines.items()}
    return tuple(
        comparison_record(name, key, case.baselines[key].artifact_digest, one, n, n_differ[key], confidence)
        for (name, key), one in evidence.differences.items()
    )


def comparison_baseline(case: Case) -> str | None:
    """The environment that slices are compared with: the last in order of promotion that was scored."""
    scored = [name for name in case.spec.environments if name in case.baselines]
    others = [name for name in case.baselines if name not in SIMPLE]
    return scored[-1] if scored else others[-1] if others else None
