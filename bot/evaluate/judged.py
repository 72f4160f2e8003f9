"""Measured numbers and a policy -> the Evaluation that people see: metrics, comparisons, slices, gates and the verdict.

Needs no data and no model. So the job that keeps an Evaluation makes its gates itself, whatever the job that measured
says about them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.errors import Place, UserError
from bot.evaluate import gates as gate_list
from bot.evaluate.budget import budget_gate, budgets
from bot.evaluate.evidence import Evidence
from bot.evaluate.ladder import ladder
from bot.evaluate.metrics import canonical, metric_of
from bot.evaluate.metrics.interface import Metric
from bot.evaluate.reach import at_tail, spent_tail
from bot.evaluate.records import comparison_record, metric_record, slice_records
from bot.evaluate.verdict import verdict_of
from bot.records.evaluation import Budget, Comparison, Evaluation
from bot.records.measured import Measured
from bot.specs.gates import Gates, GatesPolicy
from bot.specs.model import ModelSpec

SIMPLE = ("dummy", "linear")


@dataclass(frozen=True)
class Known:
    """What the ledger holds of these test rows. `uses` counts earlier evaluations of other inputs, by metric; `best` is
    the best value released among them, and `passed` are the ids of gates that one of them passed.
    """

    uses: Mapping[str, int] = field(default_factory=dict)
    best: Mapping[str, float] = field(default_factory=dict)
    passed: Collection[str] = ()


def judged(found: Evaluation, spec: ModelSpec, gates: Gates, known: Known) -> Evaluation:
    """The Evaluation with everything that follows from `found.measured`, `training`, `n_test`, `operating` and
    `missing_baselines`. Raises UserError (code `evaluation_unmeasured`) when it has no such numbers, or unknown ones.
    """
    measured = found.measured
    if measured is None:
        raise UserError("the evaluation has no numbers to judge by", code="evaluation_unmeasured")
    evidence = evidence_of(found, measured, spec, gates.policy, known)
    asked = gates.for_model(found.training.model, found.training.task)
    results = [gate_list.judge(placed, evidence, gates.policy.inconclusive) for placed in asked]
    place = gates.budget_place or Place("policies/gates.yaml")
    results += [budget_gate(one, place) for one in evidence.budget if one.allowed is not None]
    shown = compared_with(spec, measured)
    digest = measured.baselines[shown].artifact_digest if shown else None
    return found.model_copy(
        update={
            "primary_metric": evidence.primary,
            "metrics": tuple(metric_record(name, evidence, spec.metrics.unit) for name in evidence.estimates),
            "comparisons": _comparisons(measured, evidence),
            "slices": slice_records(evidence, shown, digest),
            "gates": tuple(results),
            "verdict": verdict_of(results),
            "budget": evidence.budget,
        }
    )


def evidence_of(found: Evaluation, measured: Measured, spec: ModelSpec, policy: GatesPolicy, known: Known) -> Evidence:
    """What gates look at. Raises UserError for a metric that is not known, or does not fit the task."""
    metrics = {name: _metric(name, found, spec) for name in measured.metrics}
    estimates = {name: measured.estimates[name] for name in metrics if name in measured.estimates}
    keys = [(name, key) for key in _in_order(measured, spec) for name in metrics]
    differences = {
        (name, key): measured.differences[name][key] for name, key in keys if key in measured.differences.get(name, {})
    }
    primary = canonical(spec.metrics.primary)
    look = known.uses.get(primary, 0) + 1
    evidence = Evidence(
        training=found.training,
        primary=primary,
        n_test=found.n_test,
        metrics=metrics,
        estimates=estimates,
        differences=differences,
        missing={one.environment: one for one in found.missing_baselines},
        slices={name: measured.slices[name] for name in metrics if name in measured.slices},
        gaps={(gap.column, gap.measure): gap for gap in measured.gaps},
        operating=found.operating,
        baseline_operating={name: one.operating for name, one in measured.baselines.items()},
        accuracies=measured.accuracies,
        contract=measured.contract,
        newest_age_days=measured.newest_age_days,
        judged_at=datetime.fromisoformat(measured.judged_at) if measured.judged_at else None,
        overlap=measured.overlap,
        passed=known.passed,
        confidence=policy.confidence,
        correction=policy.slices.correction,
        independent=measured.independent,
        look=look,
    )
    tail = spent_tail(look, (1 - policy.confidence) / 2)
    if look > 1:
        spent = {key: at_tail(one, policy.confidence, tail) for key, one in differences.items()}
        evidence = replace(evidence, differences=spent)
    return _with_budget(evidence, policy, known)


def compared_with(spec: ModelSpec, measured: Measured) -> str | None:
    """The environment that slices are compared with: the last in order of promotion that was scored."""
    environments = [name for name in _in_order(measured, spec) if name not in SIMPLE]
    scored = [name for name in environments if name in spec.environments]
    return scored[-1] if scored else environments[-1] if environments else None


def _in_order(measured: Measured, spec: ModelSpec) -> list[str]:
    """Baselines: environments in order of promotion, others, then the simple models."""
    first = [name for name in spec.environments if name in measured.baselines]
    others = [name for name in measured.baselines if name not in first and name not in SIMPLE]
    return [*first, *others, *(name for name in SIMPLE if name in measured.baselines)]


def _metric(name: str, found: Evaluation, spec: ModelSpec) -> Metric:
    metric = metric_of(name, costs=spec.metrics.costs(found.training.classes))
    if found.training.task not in metric.tasks:
        raise UserError(f"{name} is no metric of the task {found.training.task}", code="metric_unknown")
    return metric


def _with_budget(evidence: Evidence, policy: GatesPolicy, known: Known) -> Evidence:
    """With the uses of the primary metric's test rows; with the policy's ladder also whether this result is shown."""
    name = evidence.primary
    (spent,) = budgets(evidence.training.test_rows_digest, [name], known.uses, policy.budget)
    return replace(evidence, budget=(_released(spent, evidence, policy, known),))


def _released(spent: Budget, evidence: Evidence, policy: GatesPolicy, known: Known) -> Budget:
    name = evidence.primary
    if policy.budget is None or not policy.budget.ladder or name not in evidence.estimates:
        return spent
    own = evidence.estimates[name]
    step = own.error or 0.0
    best, better = known.best.get(name), evidence.metrics[name].greater_is_better
    released = ladder(own.value, best, step, greater_is_better=better)
    return spent.model_copy(update={"ladder": released, "best": best})


def _comparisons(measured: Measured, evidence: Evidence) -> tuple[Comparison, ...]:
    n, confidence, baselines = evidence.n_test, evidence.paired_confidence, measured.baselines
    return tuple(
        comparison_record(name, key, baselines[key].artifact_digest, one, n, baselines[key].n_differ, confidence)
        for (name, key), one in evidence.differences.items()
    )
