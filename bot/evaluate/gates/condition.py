"""condition: a condition of ease.ml/ci on n, o and d holds, with the reliability that it names."""

import math
from collections.abc import Sequence

from bot.evaluate.condition.differ import is_active
from bot.evaluate.condition.judge import rows_for, sharpened, verdict
from bot.evaluate.condition.size import Plan
from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.baseline import without_baseline
from bot.evaluate.gates.interface import Finding
from bot.evaluate.words import rows
from bot.specs.condition import Clause, parse
from bot.specs.gates import ConditionGate


def judge(gate: ConditionGate, evidence: Evidence) -> Finding:
    """Inconclusive when there are fewer rows than the reliability asks for, whatever was measured on them."""
    clauses = parse(gate.condition)
    needs_baseline = any(clause.coefficients[1] or clause.coefficients[2] for clause in clauses)
    absent = without_baseline(gate.against, gate.first, evidence) if needs_baseline else None
    if absent:
        return absent
    measured = evidence.accuracies.get(gate.against) or evidence.accuracies.get("")
    if measured is None:
        sentence = "The condition speaks of accuracies, which a regression does not have."
        return Finding("inconclusive", "condition_unsupported", sentence)
    steps = gate.steps or next((one.allowed for one in evidence.budget if one.allowed), None) or 1
    spent = _spent(gate, steps, evidence)
    if spent:
        return Finding("fail", "testset_exhausted", spent)
    plan = Plan(gate.reliability, steps, gate.adaptivity)
    needed = rows_for(clauses, plan, gate.bound)
    said = " /\\ ".join(map(str, clauses))
    values = ", ".join(f"{name} = {value:.4f}" for name, value in zip("nod", measured, strict=True))
    counted = evidence.n_test if evidence.independent is None else evidence.independent
    if counted < needed:
        more = needed - counted
        there = f"there are {evidence.n_test:,}"
        if evidence.independent is not None:
            there += f" in groups, which count as {counted:,} since rows of a group are not independent"
        sentence = f"{said} needs {rows(needed)} for {steps} evaluations; {there}."
        ending = f"{rows(more)} more would settle it{_fewer_labels(clauses, more, measured[2])}."
        return Finding("inconclusive", "testset_too_small", f"{sentence} {ending}", rows_needed=more)
    found = verdict(clauses, measured, gate.mode)
    if found == "pass":
        return Finding("pass", "gate_passed", f"{said} holds: {values}.")
    if found == "fail":
        return Finding("fail", "condition_failed", f"{said} does not hold: {values}.")
    sentence = f"{said} cannot be told: {values}; a value lies within its tolerance."
    nearer = sharpened(clauses, measured)
    if nearer is None:
        return Finding("inconclusive", "evidence_insufficient", f"{sentence} It lies on the threshold itself.")
    wanted = rows_for(nearer, plan, gate.bound)
    more = max(0, wanted - counted)
    ending = f"With {' and '.join(f'+/- {one.tolerance:.2g}' for one in nearer)} it could be told on {rows(wanted)}"
    ending += f": {rows(more)} more{_fewer_labels(clauses, more, measured[2])}." if more else ", and there are enough."
    return Finding("inconclusive", "evidence_insufficient", f"{sentence} {ending}", rows_needed=more or None)


def _spent(gate: ConditionGate, steps: int, evidence: Evidence) -> str:
    """Why the rows promise this gate nothing any more; empty while they do."""
    used = max((one.used for one in evidence.budget), default=0)
    if used > steps:
        return f"The reliability was promised for {steps} evaluations on these test rows; this is number {used}."
    if gate.adaptivity == "first_change" and gate.id in evidence.passed:
        return "The test rows were retired when another model first passed this gate on them."
    return ""


def _fewer_labels(clauses: Sequence[Clause], more: int, differ: float) -> str:
    """What active labelling spares: where both models say the same, no label is needed to tell them apart."""
    labels = math.ceil(more * differ)
    return f", of which those need a label on which the models differ: about {labels:,}" if is_active(clauses) else ""
