"""Labels and predictions in, Evaluation out: pure, on arrays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.evaluate.calibration import calibration, confusion
from bot.evaluate.fresh import fresh_sections
from bot.evaluate.gaps import gaps
from bot.evaluate.interval import compare, estimate
from bot.evaluate.judged import SIMPLE, Known, judged
from bot.evaluate.metrics import canonical, metric_of, metrics_for
from bot.evaluate.metrics.interface import Metric
from bot.evaluate.records import gap_sections
from bot.evaluate.resample import Resampler, Settings
from bot.evaluate.rows import Mask, Rows, Scores, differing
from bot.evaluate.slices import measure
from bot.records.evaluation import Evaluation, MissingBaseline, Section
from bot.records.measured import Difference, Gap, Measured, MeasuredBaseline, Sliced
from bot.records.training import Training
from bot.specs.gates import Gates, PlacedGate, settings_digest
from bot.specs.model import ModelSpec
from bot.specs.slices import CROSS


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
    `fresh` (n,) are the test rows that the base commit's data did not hold, None without a base. `sketch` is that of
    the test rows' ids.
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
    sketch: tuple[str, ...] = ()


def evaluate(case: Case) -> Evaluation:
    """Metrics with intervals, paired comparisons, slices and gates. Raises UserError for an unknown metric name."""
    asked = case.gates.for_model(case.training.model, case.training.task)
    metrics = declared_metrics(case, asked)
    policy = case.gates.policy
    resampler = Resampler(case.rows, Settings(policy.confidence, policy.resamples))
    found = _record(case, measured(case, metrics, asked, resampler))
    found = judged(found, case.spec, case.gates, Known(case.uses, case.best, case.passed))
    primary = metrics.get(primary_metric(case))
    more = fresh_sections(case, primary, resampler) if primary is not None else ()
    return found.model_copy(update={"sections": (*more, *found.sections)}) if more else found


def declared_metrics(case: Case, asked: tuple[PlacedGate, ...]) -> dict[str, Metric]:
    """By name: those of the spec, of its task and of the gates; without those that need absent probabilities."""
    spec, task = case.spec, case.training.task
    names = (*spec.metrics.names, *metrics_for(task), *_asked_metrics(case, asked))
    found: dict[str, Metric] = {}
    for name in dict.fromkeys(names):
        metric = metric_of(name, costs=case.spec.metrics.costs(case.rows.classes))
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


def measured(case: Case, metrics: dict[str, Metric], asked: tuple[PlacedGate, ...], resampler: Resampler) -> Measured:
    """Everything that a gate may look at, in numbers."""
    spec, facts = case.spec, case.facts
    estimates = {name: estimate(metric, case.candidate, resampler) for name, metric in metrics.items()}
    wanted = dict.fromkeys([*map(canonical, spec.metrics.names), *_asked_metrics(case, asked)])
    sliced = dict.fromkeys([primary_metric(case), *_asked_metrics(case, [one for one in asked if _by_slice(one)])])
    return Measured(
        metrics=tuple(metrics),
        estimates={name: one for name, one in estimates.items() if one.is_finite},
        differences=_differences(case, {name: metrics[name] for name in wanted if name in metrics}, resampler),
        slices=_slices(case, {name: metrics[name] for name in sliced if name in metrics}, resampler),
        gaps=tuple(_gaps(case, resampler)),
        baselines={name: _baseline(case, one) for name, one in case.baselines.items()},
        accuracies=_accuracies(case),
        contract=facts.contract,
        newest_age_days=facts.newest_age_days,
        judged_at=facts.judged_at.isoformat() if facts.judged_at else None,
        overlap=facts.overlap,
        settings=settings_digest(case.gates.policy),
        independent=case.rows.independent,
        rows_sketch=case.sketch,
    )


def _baseline(case: Case, one: Baseline) -> MeasuredBaseline:
    n_differ = int(differing(case.candidate, one.scores).sum())
    return MeasuredBaseline(artifact_digest=one.artifact_digest, n_differ=n_differ, operating=dict(one.operating))


def _differences(case: Case, metrics: Mapping[str, Metric], resampler: Resampler) -> dict[str, dict[str, Difference]]:
    """By metric, then by baseline; what is not defined is left out."""
    found: dict[str, dict[str, Difference]] = {name: {} for name in metrics}
    for key, baseline in case.baselines.items():
        for name, metric in metrics.items():
            if baseline.scores.probabilities is not None or not metric.needs_probabilities:
                one = compare(metric, case.candidate, baseline.scores, resampler)
                if one.is_finite:
                    found[name][key] = one
    return found


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


def _gaps(case: Case, resampler: Resampler) -> list[Gap]:
    minimum = case.gates.policy.slices.minimum_rows
    columns = [column for column in case.rows.slices if CROSS not in column]
    found = (gap for column in columns for gap in gaps(column, case.candidate, resampler, minimum))
    return [gap for gap in found if gap.is_finite]


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


def _record(case: Case, numbers: Measured) -> Evaluation:
    """The numbers, with all that does not follow from them; what does is left open."""
    return Evaluation(
        model=case.training.model,
        primary_metric=primary_metric(case),
        training=case.training,
        n_test=len(case.rows),
        metrics=(),
        comparisons=(),
        missing_baselines=case.missing,
        slices=(),
        gates=(),
        verdict="inconclusive",
        budget=(),
        operating={name: float(value) for name, value in case.operating.items()},
        confusion=confusion(case.rows, case.candidate),
        calibration=calibration(case.rows, case.candidate),
        sections=(*case.facts.sections, *gap_sections(numbers.gaps)),
        policy_digest=case.policy_digest,
        run=dict(case.run),
        measured=numbers,
    )
