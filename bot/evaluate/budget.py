"""The test-set budget: how often a result on the same test rows was seen, and what happens at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.errors import Place
from bot.evaluate.gates.reasons import REASONS
from bot.records.evaluation import Budget, Evaluation, GateResult
from bot.specs.gates import BudgetPolicy, Gates


def budgets(
    test_rows_digest: str, metrics: Sequence[str], uses: Mapping[str, int], policy: BudgetPolicy | None
) -> tuple[Budget, ...]:
    """One a metric. `uses` counts earlier evaluations of other inputs on these rows; this one is added.

    An evaluation of inputs that were evaluated before is not counted again: the caller leaves it out of `uses`.
    """
    allowed = policy.steps if policy else None
    return tuple(
        Budget(test_rows_digest=test_rows_digest, metric=metric, used=uses.get(metric, 0) + 1, allowed=allowed)
        for metric in metrics
    )


def budget_gate(budget: Budget, place: Place) -> GateResult:
    """Fails (`testset_exhausted`) when this use is beyond what is allowed. Raises nothing; `allowed` must be set."""
    allowed = budget.allowed or 0
    spent = budget.used > allowed
    said = f"{budget.used} of {allowed} uses of these test rows for {budget.metric} are spent"
    return GateResult(
        gate="test_set_budget",
        kind="budget",
        verdict="fail" if spent else "pass",
        blocks=True,
        reason_code="testset_exhausted" if spent else "gate_passed",
        sentence=f"{said}.",
        file=place.file,
        line=place.line,
        observed=float(budget.used),
        threshold=float(allowed),
        next_step=REASONS["testset_exhausted"] if spent else "",
    )


def looks_back(gates: Gates) -> bool:
    """Whether what earlier evaluations on the same rows said matters: for the Ladder, or for a `first_change`."""
    is_ladder = gates.policy.budget is not None and gates.policy.budget.ladder
    return is_ladder or any(getattr(placed.gate, "adaptivity", "") == "first_change" for placed in gates.gates)


def passed_gates(evaluations: Iterable[Evaluation]) -> frozenset[str]:
    """Ids of the gates that any of them passed."""
    return frozenset(gate.gate for one in evaluations for gate in one.gates if gate.verdict == "pass")
